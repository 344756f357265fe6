package dev.remora.core.template;

import dev.remora.core.json.Json;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;

/**
 * The cases of {@code templates.json}: templates, variables, and what jinja2 3.1.6 made of them with the settings of
 * Hugging Face's {@code apply_chat_template} at {@link #CLOCK}: a {@code text}, or an {@code error} and its {@code line}.
 */
final class TemplateGoldens {
    static final Clock CLOCK = Clock.fixed(Instant.parse("2026-03-05T14:07:09Z"), ZoneOffset.UTC);

    private TemplateGoldens() {}

    static Map<String, Object> read(String resource) {
        try (InputStream in = TemplateGoldens.class.getResourceAsStream(resource)) {
            return map(Json.parse(in.readAllBytes(), resource));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @SuppressWarnings("unchecked")
    static Map<String, Object> map(Object value) {
        return (Map<String, Object>) value;
    }

    @SuppressWarnings("unchecked")
    static List<Object> list(Object value) {
        return (List<Object>) value;
    }
}
