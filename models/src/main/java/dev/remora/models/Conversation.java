package dev.remora.models;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a chat template renders. Immutable; {@link #with(ChatMessage)} gives the next turn.
 *
 * @param messages in the form of JSON: maps with {@code role}, {@code content} and what else the template knows
 * @param tools descriptions of functions in the form of JSON; empty: none
 * @param addGenerationPrompt whether the text ends where the assistant's answer begins
 * @param variables further variables of the template, for example {@code thinking}
 */
public record Conversation(
        List<Map<String, Object>> messages,
        List<Map<String, Object>> tools,
        boolean addGenerationPrompt,
        Map<String, Object> variables) {

    public Conversation {
        messages = List.copyOf(messages);
        tools = List.copyOf(tools);
        variables = Collections.unmodifiableMap(new LinkedHashMap<>(variables));
    }

    /** These messages, no tools, ready for the assistant's answer. */
    public static Conversation of(ChatMessage... messages) {
        return of(List.of(messages));
    }

    /** These messages, no tools, ready for the assistant's answer. */
    public static Conversation of(List<ChatMessage> messages) {
        return new Conversation(messages.stream().map(ChatMessage::toMap).toList(), List.of(), true, Map.of());
    }

    /** This conversation and one message more. */
    public Conversation with(ChatMessage message) {
        List<Map<String, Object>> longer = new ArrayList<>(messages);
        longer.add(message.toMap());
        return new Conversation(longer, tools, addGenerationPrompt, variables);
    }

    public Conversation withTools(List<Map<String, Object>> value) {
        return new Conversation(messages, value, addGenerationPrompt, variables);
    }

    public Conversation withAddGenerationPrompt(boolean value) {
        return new Conversation(messages, tools, value, variables);
    }

    public Conversation withVariables(Map<String, Object> value) {
        return new Conversation(messages, tools, addGenerationPrompt, value);
    }
}
