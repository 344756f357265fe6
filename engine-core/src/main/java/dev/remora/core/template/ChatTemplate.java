package dev.remora.core.template;

import java.time.Clock;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * The chat template of a model: turns messages into the text that the model was trained on. Immutable; one template may
 * be rendered by any number of threads.
 *
 * <p>The language is Jinja as Hugging Face's {@code apply_chat_template} configures it; see the package's page for what
 * is left out. Templates come with models and are not trusted: work and memory of a rendering are bounded.
 */
public final class ChatTemplate {
    private final String source;
    private final List<Node.Statement> body;
    private final Map<String, Object> globals;

    private ChatTemplate(String source, List<Node.Statement> body, Map<String, Object> globals) {
        this.source = source;
        this.body = body;
        this.globals = globals;
    }

    /**
     * Parses a template.
     *
     * @param source where the template stands, for error messages: {@code tokenizer_config.json: chat_template}
     * @throws TemplateException at a syntax error, or a statement, filter or test that does not exist
     */
    public static ChatTemplate compile(String template, String source) {
        return compile(template, source, Clock.system(ZoneId.systemDefault()));
    }

    /** As {@link #compile(String, String)}, with the clock that {@code strftime_now} reads. */
    public static ChatTemplate compile(String template, String source, Clock clock) {
        Objects.requireNonNull(clock, "clock");
        try {
            return new ChatTemplate(source, StatementParser.parse(template, source), Globals.all(clock));
        } catch (StackOverflowError e) {
            throw new TemplateException(source, 1, "nested too deeply", e);
        }
    }

    /**
     * Renders the template.
     *
     * @param variables {@code messages}, {@code add_generation_prompt}, {@code tools}, {@code bos_token}...: maps with
     *     string keys, lists, strings, numbers, booleans and nulls, as {@link dev.remora.core.json.Json} gives them;
     *     they are read, never changed
     * @throws TemplateException if the template fails, or raises an exception itself
     */
    public String render(Map<String, Object> variables) {
        try {
            return new Interpreter(source).render(body, Scope.root(globals, variables));
        } catch (StackOverflowError e) {
            throw new TemplateException(source, 1, "values or calls nested too deeply", e);
        }
    }
}
