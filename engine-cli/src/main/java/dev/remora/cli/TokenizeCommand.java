package dev.remora.cli;

import dev.remora.core.json.JsonWriter;
import dev.remora.core.tokenizer.Tokenizer;
import dev.remora.models.Conversation;
import dev.remora.models.TextModel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code remora tokenize}: text to token ids and back. */
@Command(
        name = "tokenize",
        description = {
            "Turns text into token ids, or ids into text with --decode.",
            "Special tokens that the text spells are recognised; none are added. Needs only the tokenizer's files."
        },
        footer = {
            "",
            "Examples:",
            "  remora tokenize \"Once upon a time\"",
            "  remora tokenize --tokens --file story.txt",
            "  remora tokenize --decode \"[81, 329, 7]\"",
            "  remora tokenize --jsonl < texts.jsonl           {\"text\": ...} to {\"ids\": ...}, line by line",
            "  remora tokenize --jsonl --decode < ids.jsonl    and back",
            "  remora tokenize --chat < conversations.jsonl    {\"messages\": ...} to {\"text\": ..., \"ids\": ...}"
        })
final class TokenizeCommand implements Callable<Integer> {
    private final Shell shell;

    @Mixin
    private final ModelFolder folder = new ModelFolder();

    @Parameters(
            arity = "0..1",
            paramLabel = "TEXT",
            description = "The text, or the JSON array of ids with --decode; - or nothing reads standard input.")
    private String argument;

    @Option(
            names = {"-f", "--file"},
            paramLabel = "FILE",
            description = "Read the text or the ids from this file.")
    private Path file;

    @Option(names = "--decode", description = "From ids to text.")
    private boolean decode;

    @Option(names = "--tokens", description = "Print one line for each token: its id and its text as a JSON string.")
    private boolean tokens;

    @Option(names = "--jsonl", description = "One JSON object on each line of the input, one for it on the output.")
    private boolean jsonl;

    @Option(
            names = "--chat",
            description =
                    "Lines with messages, tools and add_generation_prompt, as the chat template takes them, to lines"
                            + " with text and ids. Further keys are variables of the template. Implies --jsonl.")
    private boolean chat;

    TokenizeCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() {
        checkOptions();
        TextModel model = folder.path == null ? TextModel.bundled() : TextModel.load(folder.path);
        if (jsonl) {
            lines(model);
        } else if (decode) {
            decode(model.tokenizer());
        } else {
            encode(model.tokenizer());
        }
        return ExitCode.OK;
    }

    private void checkOptions() {
        jsonl |= chat;
        if (argument != null && file != null) {
            throw new UsageException("a TEXT and --file: expected one of them, found both");
        }
        if (jsonl && argument != null && !argument.equals("-")) {
            throw new UsageException(
                    "--jsonl and --chat read standard input or --file, found the argument " + argument);
        }
        if (chat && decode) {
            throw new UsageException("--chat and --decode: expected one of them, found both");
        }
        if (jsonl && tokens) {
            throw new UsageException("--jsonl and --tokens: expected one of them, found both");
        }
        if (argument == null && file == null && shell.inTerminal()) {
            throw new UsageException("no text: give a TEXT, name a --file, or pipe a text in");
        }
    }

    private String source() {
        return file == null ? argument == null || argument.equals("-") ? Input.STDIN : "TEXT" : Input.name(file);
    }

    private String input() {
        if (file != null) {
            return Input.text(file, shell);
        }
        return argument == null || argument.equals("-") ? Input.text(Path.of("-"), shell) : argument;
    }

    private void encode(Tokenizer tokenizer) {
        int[] ids = tokenizer.encode(input());
        if (tokens) {
            print(tokenizer, ids);
        } else {
            shell.print(JsonWriter.write(ids) + "\n");
        }
    }

    private void decode(Tokenizer tokenizer) {
        int[] ids = Input.ids(input(), source());
        for (int i = 0; i < ids.length; i++) {
            if (ids[i] >= tokenizer.vocabSize()) {
                throw new UsageException(source() + "[" + i + "]: expected a token id from 0 to "
                        + (tokenizer.vocabSize() - 1) + ", found " + ids[i]);
            }
        }
        if (tokens) {
            print(tokenizer, ids);
            return;
        }
        String text = tokenizer.decode(ids);
        // Exactly the text, so that a file comes back as it was; only a terminal wants the line finished.
        shell.print(shell.outTerminal() && !text.endsWith("\n") ? text + "\n" : text);
    }

    private void print(Tokenizer tokenizer, int[] ids) {
        for (int id : ids) {
            shell.write(id + "\t" + JsonWriter.write(tokenizer.decode(new int[] {id})) + "\n");
        }
        shell.flush();
    }

    private void lines(TextModel model) {
        try (JsonLines lines = JsonLines.open(file, shell)) {
            for (JsonLines.Line line = lines.next(); line != null; line = lines.next()) {
                shell.write(JsonWriter.write(answer(model, line)) + "\n");
                if (lines.mustWait()) {
                    shell.flush();
                }
            }
        }
        shell.flush();
    }

    private Map<String, Object> answer(TextModel model, JsonLines.Line line) {
        Map<String, Object> answer = new LinkedHashMap<>();
        if (chat) {
            String text = line.locate(() -> model.renderChat(conversation(line)));
            answer.put("text", text);
            answer.put("ids", model.tokenizer().encode(text));
        } else if (decode) {
            answer.put("text", model.tokenizer().decode(Input.ids(line.list("ids"), line.source() + ": ids")));
        } else {
            answer.put("ids", model.tokenizer().encode(line.string("text")));
        }
        return answer;
    }

    /** The reference's default: without add_generation_prompt the text ends with the last message. */
    private static Conversation conversation(JsonLines.Line line) {
        Map<String, Object> variables = new LinkedHashMap<>(line.object());
        variables.keySet().removeAll(List.of("messages", "tools", "add_generation_prompt"));
        boolean prompt = line.object().get("add_generation_prompt") instanceof Boolean asked && asked;
        return new Conversation(line.objects("messages"), tools(line), prompt, variables);
    }

    private static List<Map<String, Object>> tools(JsonLines.Line line) {
        return line.object().get("tools") == null ? new ArrayList<>() : line.objects("tools");
    }
}
