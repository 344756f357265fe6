package dev.remora.cli;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.UnmatchedArgumentException;

/** The entry of the command line. */
@Command(
        name = "remora",
        mixinStandardHelpOptions = true,
        scope = ScopeType.INHERIT,
        versionProvider = Version.class,
        synopsisSubcommandLabel = "COMMAND",
        usageHelpAutoWidth = true,
        sortOptions = false,
        description = "Runs language models of the DeepSeek family on the CPU.",
        footer = {
            "",
            "Examples:",
            "  remora generate \"Once upon a time\"",
            "  remora chat",
            "  remora inspect --model ~/models/Moonlight-16B-A3B-Instruct",
            "",
            "Without --model, every command uses the small model that comes with Remora.",
            "Exit codes: 0 success, 1 other failure, 2 wrong usage or input, 3 bad model,",
            "4 out of memory or context, 130 interrupted, 141 standard output closed early."
        })
public final class Main {
    private final Shell shell;

    private boolean verbose;

    private Main(Shell shell) {
        this.shell = shell;
    }

    /** Runs the command line as this process. */
    public static void main(String[] args) {
        // Buffered, and UTF-8 whatever the locale says; PrintStream notes a closed pipe instead of throwing.
        ProcessOutput output = new ProcessOutput(new FileOutputStream(FileDescriptor.out), Shell.outputIsFile());
        PrintStream out = new PrintStream(new BufferedOutputStream(output), false, StandardCharsets.UTF_8);
        PrintStream err = new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8);
        System.exit(run(args, Shell.ofProcess(out, err)));
    }

    /**
     * Runs the command line inside this process, with these streams in place of a terminal's.
     *
     * @return the exit code
     */
    static int run(String[] args, InputStream in, PrintStream out, PrintStream err) {
        return run(args, Shell.piped(in, out, err));
    }

    /** Runs the command line in this shell and returns its exit code. */
    static int run(String[] args, Shell shell) {
        Main main = new Main(shell);
        try {
            int code = main.commandLine().execute(args);
            shell.flush();
            return code;
        } catch (OutputClosedException e) {
            return ExitCode.OUTPUT_CLOSED;
        } catch (Throwable e) { // picocli lets errors through, and running out of memory is one
            shell.out().flush();
            return Failures.report(e, "remora", main.verbose, shell);
        }
    }

    @Option(
            names = "--verbose",
            scope = ScopeType.INHERIT,
            description = "Show log messages, and the stack trace of an error.")
    void setVerbose(boolean value) {
        verbose |= value;
    }

    private CommandLine commandLine() {
        CommandLine line = new CommandLine(this)
                .addSubcommand(new GenerateCommand(shell))
                .addSubcommand(new ChatCommand(shell))
                .addSubcommand(new InspectCommand(shell))
                .addSubcommand(new TokenizeCommand(shell))
                .addSubcommand(new ScoreCommand(shell))
                .addSubcommand(new DoctorCommand(shell))
                .addSubcommand(new BenchCommand(shell))
                .addSubcommand(new ConvertCommand(shell))
                .addSubcommand(new ExpertsCommand(shell))
                .addSubcommand(new HelpCommand());
        for (CommandLine command : line.getSubcommands().values()) {
            // Twenty options in brackets help nobody; they are listed below with what they mean.
            command.getCommandSpec().usageMessage().abbreviateSynopsis(true);
        }
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.setUsageHelpLongOptionsMaxWidth(30);
        line.setExpandAtFiles(false); // a prompt may begin with @
        line.setOut(writer(shell.out()));
        line.setErr(writer(shell.err()));
        line.setColorScheme(CommandLine.Help.defaultColorScheme(
                shell.outColours() ? CommandLine.Help.Ansi.ON : CommandLine.Help.Ansi.OFF));
        line.setParameterExceptionHandler(wrongUsage());
        line.setExecutionExceptionHandler((e, command, parsed) -> Failures.report(e, name(command), verbose, shell));
        line.setExecutionStrategy(parsed -> {
            Logs.configure(shell, verbose);
            return new CommandLine.RunLast().execute(parsed);
        });
        return line;
    }

    private IParameterExceptionHandler wrongUsage() {
        return (ParameterException e, String[] args) -> {
            CommandLine command = e.getCommandLine();
            PrintWriter err = writer(shell.err());
            if (args.length == 0) {
                command.usage(err);
                return ExitCode.USAGE;
            }
            boolean root = command.getParent() == null;
            if (root && e instanceof UnmatchedArgumentException unmatched && !unmatched.isUnknownOption()) {
                Failures.say(
                        name(command), "no command '" + unmatched.getUnmatched().getFirst() + "'", shell);
            } else {
                // picocli stutters where an option wants KEY=VALUE
                String message = e.getMessage().replaceFirst("^Error: ", "").replace("option option", "option");
                Failures.say(name(command), message, shell);
            }
            UnmatchedArgumentException.printSuggestions(e, err);
            err.println("Try '" + name(command) + " --help'.");
            return ExitCode.USAGE;
        };
    }

    private static PrintWriter writer(PrintStream stream) {
        return new PrintWriter(stream, true, stream.charset());
    }

    private static String name(CommandLine command) {
        return command.getCommandSpec().qualifiedName();
    }
}
