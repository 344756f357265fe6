package dev.remora.models;

import dev.remora.core.CheckpointException;
import dev.remora.core.RemoraException;
import dev.remora.core.checkpoint.CheckpointSource;
import dev.remora.core.json.Json;
import dev.remora.core.json.JsonObject;
import dev.remora.core.template.ChatTemplate;
import dev.remora.core.template.TemplateException;
import dev.remora.core.tokenizer.Tokenizer;
import dev.remora.core.tokenizer.TokenizerLoader;
import dev.remora.models.runtime.BundledModel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * The text side of a checkpoint: its tokenizer and its chat template, from {@code tokenizer.json} or
 * {@code tiktoken.model}, {@code tokenizer_config.json} and {@code chat_template.jinja}. Needs neither config.json nor
 * weights. Immutable.
 */
public final class TextModel {
    private static final List<String> TOKEN_KEYS =
            List.of("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token");

    private final String source;
    private final Tokenizer tokenizer;
    private final Map<String, ChatTemplate> templates;
    private final Map<String, Object> variables;

    private TextModel(
            String source, Tokenizer tokenizer, Map<String, ChatTemplate> templates, Map<String, Object> variables) {
        this.source = source;
        this.tokenizer = tokenizer;
        this.templates = templates;
        this.variables = variables;
    }

    /**
     * Reads the text files of a folder.
     *
     * @throws CheckpointException if a file is broken; that one is missing shows when it is asked for
     */
    public static TextModel load(Path folder) {
        return load(CheckpointSource.ofFolder(folder));
    }

    /**
     * Reads those of the bundled model.
     *
     * @throws CheckpointException if the artifact remora-tiny is not on the class path or module path
     */
    public static TextModel bundled() {
        return load(BundledModel.source());
    }

    static TextModel load(CheckpointSource files) {
        JsonObject config = files.exists("tokenizer_config.json")
                ? Json.object(files.read("tokenizer_config.json"), files.describe("tokenizer_config.json"))
                : null;
        return new TextModel(files.describe(), tokenizer(files, config), templates(files, config), variables(config));
    }

    /** A text model of given parts, for tests. */
    static TextModel of(Tokenizer tokenizer, ChatTemplate template) {
        return new TextModel(
                "the model", tokenizer, template == null ? Map.of() : Map.of("default", template), Map.of());
    }

    /** True if the checkpoint has a tokenizer. */
    public boolean hasTokenizer() {
        return tokenizer != null;
    }

    /**
     * The tokenizer.
     *
     * @throws CheckpointException if the checkpoint has none; the message names the missing files
     */
    public Tokenizer tokenizer() {
        if (tokenizer == null) {
            throw new CheckpointException(source + ": expected tokenizer.json, or tiktoken.model with"
                    + " tokenizer_config.json, found neither. Copy them from where the model was published, or work with"
                    + " token ids instead of text");
        }
        return tokenizer;
    }

    /** True if the checkpoint has a chat template. */
    public boolean hasChatTemplate() {
        return !templates.isEmpty();
    }

    /**
     * The text of a conversation as the model was trained on it. Where the checkpoint has several templates,
     * {@code tool_use} is taken if there are tools, else {@code default}.
     *
     * @throws CheckpointException if the checkpoint has no chat template
     * @throws TemplateException if the template fails, or refuses the conversation
     */
    public String renderChat(Conversation conversation) {
        boolean tools = !conversation.tools().isEmpty();
        ChatTemplate template =
                tools && templates.containsKey("tool_use") ? templates.get("tool_use") : templates.get("default");
        if (template == null) {
            throw new CheckpointException(
                    source + ": expected a chat template, in chat_template.jinja or as chat_template in"
                            + " tokenizer_config.json, found " + (templates.isEmpty() ? "none" : templates.keySet())
                            + ". This may be a base model: generate from plain text instead");
        }
        Map<String, Object> all = new HashMap<>(variables);
        all.putAll(conversation.variables());
        all.put("messages", conversation.messages());
        all.put("tools", tools ? conversation.tools() : null);
        all.put("add_generation_prompt", conversation.addGenerationPrompt());
        return template.render(all);
    }

    private static Tokenizer tokenizer(CheckpointSource files, JsonObject config) {
        if (files.exists("tokenizer.json")) {
            return TokenizerLoader.fromJson(files.read("tokenizer.json"), files.describe("tokenizer.json"), config);
        }
        if (files.exists("tiktoken.model") && config != null) {
            return TokenizerLoader.fromTiktoken(files.read("tiktoken.model"), files.describe("tiktoken.model"), config);
        }
        return null;
    }

    private static Map<String, ChatTemplate> templates(CheckpointSource files, JsonObject config) {
        if (files.exists("chat_template.jinja")) {
            String where = files.describe("chat_template.jinja");
            String text = new String(files.read("chat_template.jinja"), StandardCharsets.UTF_8);
            return Map.of("default", compile(text, where));
        }
        if (config == null || !config.has("chat_template")) {
            return Map.of();
        }
        String where = config.source() + ": chat_template";
        if (!(config.get("chat_template") instanceof List<?> list)) {
            return Map.of("default", compile(config.string("chat_template"), where));
        }
        Map<String, ChatTemplate> named = new HashMap<>();
        for (Object entry : list) {
            JsonObject one = JsonObject.of(entry, where);
            named.put(one.string("name"), compile(one.string("template"), where + ": " + one.string("name")));
        }
        return named;
    }

    private static ChatTemplate compile(String template, String where) {
        return ChatTemplate.compile(template, where);
    }

    /** The texts of special tokens, for templates: {@code bos_token} and its like, written plainly or as an object. */
    private static Map<String, Object> variables(JsonObject config) {
        Map<String, Object> variables = new HashMap<>();
        for (String key : TOKEN_KEYS) {
            if (config != null && config.has(key)) {
                boolean plain = config.get(key) instanceof String;
                variables.put(
                        key, plain ? config.string(key) : config.object(key).string("content"));
            }
        }
        return variables;
    }

    /** The ids of a plain prompt at the beginning of a session: with the BOS token if the model expects one. */
    int[] encodeFirst(String text) {
        int[] ids = tokenizer().encode(text);
        var special = tokenizer().specialTokens();
        if (!special.addBos() || special.bos().isEmpty()) {
            return ids;
        }
        int bos = special.bos().getAsInt();
        if (ids.length > 0 && ids[0] == bos) {
            return ids;
        }
        int[] longer = new int[ids.length + 1];
        longer[0] = bos;
        System.arraycopy(ids, 0, longer, 1, ids.length);
        return longer;
    }

    /** @throws RemoraException if stop strings are asked for and there is no text */
    TextStream stream(GenerationOptions options) {
        Objects.requireNonNull(options, "options");
        if (tokenizer == null && !options.stopStrings().isEmpty()) {
            tokenizer();
        }
        return new TextStream(tokenizer == null ? null : tokenizer.newDecoder(true), options.stopStrings());
    }
}
