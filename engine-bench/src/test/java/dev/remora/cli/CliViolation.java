package dev.remora.cli;

import dev.remora.mla.MlaViolation;

public class CliViolation {
    MlaViolation attention;
}
