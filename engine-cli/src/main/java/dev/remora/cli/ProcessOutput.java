package dev.remora.cli;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;

/**
 * Standard output below its {@code PrintStream}, which keeps the reason of a failure to itself. Where the output is a
 * file, a failure is the file's (a full disk) and not a reader's who left: it is thrown, once, with its reason. What
 * follows it is dropped.
 */
final class ProcessOutput extends FilterOutputStream {
    private final boolean file;
    private boolean failed;

    /** @param file whether the output goes to a file or device, not into a pipe */
    ProcessOutput(OutputStream out, boolean file) {
        super(out);
        this.file = file;
    }

    @Override
    public void write(int b) throws IOException {
        write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int from, int length) throws IOException {
        if (failed) {
            return;
        }
        try {
            out.write(bytes, from, length);
        } catch (IOException e) {
            if (!file) {
                throw e;
            }
            failed = true;
            throw new UncheckedIOException("standard output: cannot be written: " + e.getMessage(), e);
        }
    }
}
