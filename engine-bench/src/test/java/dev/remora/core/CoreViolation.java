package dev.remora.core;

import dev.remora.models.ModelsViolation;
import java.net.Socket;
import org.junit.jupiter.api.Test;

/** A foreign library, a socket, and a module above: the last closes a cycle too. */
public class CoreViolation {
    Test library;
    Socket socket;
    ModelsViolation above;
}
