package dev.remora.models;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * One message of a conversation.
 *
 * @param role {@code system}, {@code user}, {@code assistant}, {@code tool}: what the model's template knows
 * @param content text, or whatever structure the template expects; may be null, for example beside {@code tool_calls}
 * @param fields further fields for the template, for example {@code tool_calls}
 */
public record ChatMessage(String role, Object content, Map<String, Object> fields) {
    public ChatMessage {
        Objects.requireNonNull(role, "role");
        // Not Map.copyOf: JSON has nulls.
        fields = Collections.unmodifiableMap(new LinkedHashMap<>(fields));
    }

    public static ChatMessage system(String content) {
        return new ChatMessage("system", content, Map.of());
    }

    public static ChatMessage user(String content) {
        return new ChatMessage("user", content, Map.of());
    }

    public static ChatMessage assistant(String content) {
        return new ChatMessage("assistant", content, Map.of());
    }

    /** The message as templates see it: {@code role}, {@code content} and the further fields. */
    public Map<String, Object> toMap() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("role", role);
        map.put("content", content);
        map.putAll(fields);
        return map;
    }
}
