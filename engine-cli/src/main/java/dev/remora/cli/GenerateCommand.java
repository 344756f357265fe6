package dev.remora.cli;

import dev.remora.core.json.JsonWriter;
import dev.remora.core.template.TemplateException;
import dev.remora.models.ChatMessage;
import dev.remora.models.Conversation;
import dev.remora.models.FinishReason;
import dev.remora.models.Generation;
import dev.remora.models.GenerationEvent;
import dev.remora.models.GenerationOptions;
import dev.remora.models.Llm;
import dev.remora.models.Session;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code remora generate}: one text, streamed. */
@Command(
        name = "generate",
        description = "Continues a text, or answers a question with --chat.",
        footer = {
            "",
            "Examples:",
            "  remora generate \"Once upon a time\"",
            "  remora generate --chat \"What is 17 + 25?\"",
            "  remora generate --greedy -n 40 - < prompt.txt",
            "  echo \"[0, 312, 7]\" | remora generate --ids - --print-ids --greedy -n 16",
            "  remora generate --seed 7 --temperature 1.2 --json \"One day\""
        })
final class GenerateCommand implements Callable<Integer> {
    private final Shell shell;

    @Mixin
    private final ModelOptions model = new ModelOptions();

    @Mixin
    private final SamplingOptions sampling = new SamplingOptions();

    @Parameters(
            arity = "0..1",
            paramLabel = "PROMPT",
            description =
                    "The text to continue; - or nothing reads standard input (UTF-8, one final line break is dropped).")
    private String prompt;

    @Option(names = "--chat", description = "The prompt is a message to an assistant: apply the model's chat template.")
    private boolean chat;

    @Option(names = "--system", paramLabel = "TEXT", description = "System message for --chat, which it implies.")
    private String system;

    @Option(
            names = "--ids",
            paramLabel = "FILE",
            description = "Take the prompt as token ids: a JSON array; - reads standard input. Needs no tokenizer.")
    private Path ids;

    @Option(
            names = "--print-ids",
            description = "Print the generated ids as one JSON array instead of text. Needs no tokenizer.")
    private boolean printIds;

    @Option(names = "--json", description = "Print one JSON object: text, ids, finish_reason, usage, seed, options.")
    private boolean json;

    @Option(
            names = "--echo",
            negatable = true,
            defaultValue = Option.NULL_VALUE,
            description = "Show the prompt before the text, or do not. Default: only on a terminal, without --chat.")
    private Boolean echo;

    GenerateCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() {
        checkOptions();
        sampling.over(GenerationOptions.defaults()); // a wrong number is an error before the model is loaded
        int[] promptIds = ids == null ? null : Input.ids(ids, shell);
        if (promptIds != null && promptIds.length == 0) {
            throw new UsageException(Input.name(ids) + ": expected at least one token id, found none");
        }
        String promptText = ids == null ? promptText() : null;
        if (promptText != null && promptText.isEmpty()) {
            throw new UsageException("the prompt is empty: expected some text, for example \"Once upon a time\"");
        }
        try (Llm llm = model.load(shell)) {
            GenerationOptions options = sampling.over(llm.generationDefaults());
            if (!printIds && !json) {
                llm.tokenizer(); // the error before the work, not after it
            }
            try (Session session = OptionNames.translate(llm::session);
                    Generation generation = start(session, promptIds, promptText, options);
                    Interrupts.Scope _ = shell.interrupts().during(generation::cancel)) {
                return run(generation, promptText);
            }
        }
    }

    private void checkOptions() {
        if (ids != null && prompt != null) {
            throw new UsageException("a PROMPT and --ids: expected one of them, found both");
        }
        chat |= system != null;
        if (ids != null && chat) {
            throw new UsageException(
                    "--ids and --chat: the template needs a text; give a PROMPT, or render it first with"
                            + " 'remora tokenize --chat'");
        }
        if (json && printIds) {
            throw new UsageException(
                    "--json and --print-ids: expected one of them, found both (--json has the ids too)");
        }
        if (prompt == null && ids == null && shell.inTerminal()) {
            throw new UsageException("no prompt: give a PROMPT, pipe a text in, or name a file with --ids");
        }
    }

    private String promptText() {
        if (prompt != null && !prompt.equals("-")) {
            return prompt;
        }
        String text = Input.utf8(shell.readInput(), 0, Input.STDIN);
        if (text.endsWith("\r\n")) {
            return text.substring(0, text.length() - 2);
        }
        return text.endsWith("\n") ? text.substring(0, text.length() - 1) : text;
    }

    private Generation start(Session session, int[] promptIds, String promptText, GenerationOptions options) {
        try {
            return OptionNames.translate(() -> {
                if (promptIds != null) {
                    return session.generate(promptIds, options);
                }
                return chat ? session.chat(conversation(promptText), options) : session.generate(promptText, options);
            });
        } catch (TemplateException e) {
            throw new UsageException(e.getMessage(), e); // it refuses --system, most likely
        }
    }

    private Conversation conversation(String message) {
        List<ChatMessage> messages = new ArrayList<>();
        if (system != null) {
            messages.add(ChatMessage.system(system));
        }
        messages.add(ChatMessage.user(message));
        return Conversation.of(messages);
    }

    private int run(Generation generation, String promptText) {
        boolean stream = !printIds && !json;
        if (stream && promptText != null && (echo == null ? shell.outTerminal() && !chat : echo)) {
            shell.print(Style.dim(promptText, shell.outColours()));
        }
        List<Integer> generated = new ArrayList<>();
        StringBuilder text = new StringBuilder();
        GenerationEvent.Finished end = null;
        for (GenerationEvent event : generation) {
            switch (event) {
                case GenerationEvent.Token token -> {
                    generated.add(token.id());
                    append(text, token.text(), stream);
                }
                case GenerationEvent.Text rest -> append(text, rest.text(), stream);
                case GenerationEvent.Finished finished -> end = finished;
            }
        }
        FinishReason reason = end == null ? FinishReason.CANCELLED : end.reason();
        if (printIds) {
            shell.print(JsonWriter.write(generated) + "\n");
        } else if (json) {
            shell.print(
                    JsonWriter.write(Results.generation(text.toString(), generated, end, generation.options())) + "\n");
        } else if (text.isEmpty() || text.charAt(text.length() - 1) != '\n') {
            shell.print("\n");
        }
        if (end != null) {
            shell.note(Style.dim(Results.statistics(end, generation.options()), shell.errColours()));
        }
        return reason == FinishReason.CANCELLED ? ExitCode.INTERRUPTED : ExitCode.OK;
    }

    private void append(StringBuilder text, String piece, boolean stream) {
        if (!piece.isEmpty()) {
            text.append(piece);
            if (stream) {
                shell.print(piece);
            }
        }
    }
}
