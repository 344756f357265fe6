package dev.remora.cli;

import dev.remora.core.ContextOverflowException;
import dev.remora.models.ChatMessage;
import dev.remora.models.Conversation;
import dev.remora.models.FinishReason;
import dev.remora.models.Generation;
import dev.remora.models.GenerationEvent;
import dev.remora.models.GenerationOptions;
import dev.remora.models.Llm;
import dev.remora.models.ModelInfo;
import dev.remora.models.Session;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code remora chat}: a conversation, line by line. */
@Command(
        name = "chat",
        description = {
            "Talks with the model. Ctrl-C stops an answer, a second one leaves; Ctrl-D leaves.",
            "Commands in the conversation: /system TEXT, /reset, /help, /exit."
        },
        footer = {
            "",
            "Examples:",
            "  remora chat",
            "  remora chat --model ~/models/Moonlight-16B-A3B-Instruct --ctx 8192 --temperature 0.3",
            "  remora chat --system \"Answer in one sentence.\""
        })
final class ChatCommand implements Callable<Integer> {
    static final List<String> COMMANDS = List.of("/exit", "/help", "/reset", "/system");
    private static final String HELP = """
            /system TEXT  set the system message and start over; without TEXT: show it
            /reset        start over
            /help         this list
            /exit         leave (so does Ctrl-D)
            Ctrl-C stops an answer; a second one leaves.""";

    private final Shell shell;

    @Mixin
    private final ModelOptions model = new ModelOptions();

    @Mixin
    private final SamplingOptions sampling = new SamplingOptions();

    @Option(names = "--system", paramLabel = "TEXT", description = "System message.")
    private String system;

    @Option(
            names = "--history",
            negatable = true,
            defaultValue = "true",
            fallbackValue = "true",
            description = "Keep the lines typed in $XDG_STATE_HOME/remora/chat_history, or not. Default: keep them.")
    private boolean history;

    private final List<ChatMessage> messages = new ArrayList<>();

    ChatCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() {
        sampling.over(GenerationOptions.defaults()); // a wrong number is an error before the model is loaded
        try (Llm llm = model.load(shell)) {
            GenerationOptions options = sampling.over(llm.generationDefaults());
            start();
            llm.renderChat(Conversation.of(ChatMessage.user(""))); // no template: say so before the first question
            try (LineInput lines = LineInput.open(shell, history);
                    Session session = OptionNames.translate(llm::session)) {
                greet(llm.info());
                return converse(lines, session, llm.info(), options);
            }
        }
    }

    private void greet(ModelInfo info) {
        if (shell.inTerminal()) {
            shell.note(Style.dim(
                    model.name(info) + "; context of " + info.contextLength() + " tokens. /help lists the commands.",
                    shell.errColours()));
        }
    }

    private int converse(LineInput lines, Session session, ModelInfo info, GenerationOptions options) {
        boolean interrupted = false; // by the last thing that the user did
        while (true) {
            String line;
            try {
                line = lines.read();
            } catch (LineInput.Interrupted e) {
                if (interrupted && !e.midLine) {
                    return ExitCode.INTERRUPTED;
                }
                interrupted = true;
                shell.note(Style.dim("(Ctrl-C again leaves)", shell.errColours()));
                continue;
            }
            interrupted = false;
            if (line == null || line.strip().equals("/exit")) {
                return ExitCode.OK;
            }
            if (line.isBlank()) {
                continue;
            }
            if (line.startsWith("/")) {
                command(line.strip());
            } else {
                interrupted = answer(line, session, info, options) == FinishReason.CANCELLED;
            }
        }
    }

    private void command(String line) {
        String name = line.split("\\s", 2)[0];
        String argument = line.substring(name.length()).strip();
        switch (name) {
            case "/help" -> shell.note(HELP);
            case "/reset" -> {
                start();
                shell.note("(a new conversation)");
            }
            case "/system" -> {
                if (argument.isEmpty()) {
                    shell.note(system == null ? "(no system message)" : system);
                } else {
                    system = argument;
                    start();
                    shell.note("(a new conversation, with this system message)");
                }
            }
            default -> shell.note("remora chat: no command " + name + "; /help lists them");
        }
    }

    private void start() {
        messages.clear();
        if (system != null) {
            messages.add(ChatMessage.system(system));
        }
    }

    private FinishReason answer(String question, Session session, ModelInfo info, GenerationOptions options) {
        messages.add(ChatMessage.user(question));
        StringBuilder text = new StringBuilder();
        FinishReason reason = FinishReason.CANCELLED;
        try (Generation generation = OptionNames.translate(() -> session.chat(Conversation.of(messages), options));
                Interrupts.Scope _ = shell.interrupts().during(generation::cancel)) {
            for (GenerationEvent event : generation) {
                switch (event) {
                    case GenerationEvent.Token token -> show(token.text(), text);
                    case GenerationEvent.Text rest -> show(rest.text(), text);
                    case GenerationEvent.Finished finished -> reason = finished.reason();
                }
            }
        } catch (ContextOverflowException e) {
            messages.removeLast();
            shell.note(full(session, info) + " This message was not sent.");
            return FinishReason.CONTEXT_FULL;
        }
        shell.print("\n");
        messages.add(ChatMessage.assistant(text.toString()));
        if (reason == FinishReason.CONTEXT_FULL) {
            shell.note(full(session, info));
        }
        return reason;
    }

    private void show(String piece, StringBuilder text) {
        if (!piece.isEmpty()) {
            text.append(piece);
            shell.print(piece);
        }
    }

    private static String full(Session session, ModelInfo info) {
        String more = session.contextLength() < info.maxContextLength()
                ? ", or leave and come back with a larger --ctx (this model: up to " + info.maxContextLength() + ")"
                : "";
        return "The context of " + session.contextLength() + " tokens is full. /reset starts over" + more + ".";
    }
}
