package dev.remora.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.reader.impl.DefaultParser;
import org.jline.reader.impl.completer.StringsCompleter;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;

/** Lines from a terminal, with editing, completion of commands, and a history that outlives the conversation. */
final class TerminalInput implements LineInput {
    private static final String PROMPT = "> ";
    private static final int HISTORY_LINES = 1000;

    private final Terminal terminal;
    private final LineReader reader;

    private TerminalInput(Terminal terminal, LineReader reader) {
        this.terminal = terminal;
        this.reader = reader;
    }

    static TerminalInput open(Shell shell, boolean history) throws IOException {
        // "exec" asks stty; the other providers are native code.
        Terminal terminal = TerminalBuilder.builder()
                .provider(TerminalBuilder.PROP_PROVIDER_EXEC)
                .system(true)
                .dumb(false)
                // Asking the terminal for its abilities would swallow what is typed meanwhile.
                .graphemeCluster(false)
                .build();
        // Outside of readLine: Ctrl-C goes where it goes in every command. JLine puts this back after each line.
        terminal.handle(Terminal.Signal.INT, signal -> shell.interrupts().signal());
        DefaultParser parser = new DefaultParser();
        parser.setEscapeChars(new char[0]);
        parser.setQuoteChars(new char[0]);
        LineReaderBuilder builder = LineReaderBuilder.builder()
                .terminal(terminal)
                .appName("remora")
                .parser(parser)
                .completer(new StringsCompleter(ChatCommand.COMMANDS))
                // A message is text: "!" and "\" mean themselves.
                .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true)
                .variable(LineReader.HISTORY_SIZE, HISTORY_LINES);
        Path file = history ? historyFile(shell) : null;
        if (file != null) {
            builder.variable(LineReader.HISTORY_FILE, file);
        }
        return new TerminalInput(terminal, builder.build());
    }

    @Override
    public String read() throws Interrupted {
        try {
            return reader.readLine(PROMPT);
        } catch (UserInterruptException e) {
            throw new Interrupted(!e.getPartialLine().isEmpty());
        } catch (EndOfFileException e) {
            return null;
        }
    }

    @Override
    public void close() {
        try {
            terminal.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Where the history is kept; null if no such file can be written. Chatting works without. */
    private static Path historyFile(Shell shell) {
        String state = shell.environment().getOrDefault("XDG_STATE_HOME", "");
        Path folder = state.isEmpty()
                ? Path.of(System.getProperty("user.home"), ".local", "state", "remora")
                : Path.of(state, "remora");
        Path file = folder.resolve("chat_history");
        try {
            Files.createDirectories(folder);
            return Files.isWritable(Files.exists(file) ? file : folder) ? file : null;
        } catch (IOException e) {
            return null;
        }
    }
}
