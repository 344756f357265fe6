package dev.remora.models;

import static dev.remora.models.Fakes.events;
import static dev.remora.models.Fakes.finished;
import static dev.remora.models.Fakes.greedy;
import static dev.remora.models.Fakes.list;
import static dev.remora.models.Fakes.tokens;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.CheckpointException;
import dev.remora.core.ContextOverflowException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Conversations, with the template and the tokenizer of the bundled model. */
class ChatTest {
    private static final Conversation HELLO =
            Conversation.of(ChatMessage.system("Be brief."), ChatMessage.user("Hello! Who are you?"));

    private final FakeStepRunner runner = new FakeStepRunner(Fakes.VOCAB, 512);
    private final Llm llm = Fakes.withText(runner);

    private int[] rendered(Conversation conversation) {
        return llm.tokenizer().encode(llm.renderChat(conversation));
    }

    @Test
    void rendersWithTheModelsTemplate() {
        assertEquals("<｜begin▁of▁sentence｜>Be brief.<｜User｜>Hello! Who are you?<｜Assistant｜>", llm.renderChat(HELLO));
        assertEquals(
                "<｜begin▁of▁sentence｜>Be brief.<｜User｜>Hello! Who are you?",
                llm.renderChat(HELLO.withAddGenerationPrompt(false)));
        assertTrue(llm.hasChatTemplate());
        assertTrue(llm.hasTokenizer());
    }

    @Test
    void answersTheRenderedConversation() {
        Session session = llm.session();
        List<GenerationEvent> events = events(session.chat(HELLO, tokens(8)));
        int[] ids = rendered(HELLO);
        assertEquals(greedy(runner, list(ids), 8), FakeStepRunner.ids(events));
        assertEquals(ids.length, finished(events).usage().promptTokens());
        assertEquals(0, finished(events).usage().cachedTokens());
    }

    @Test
    void theCommonPrefixStaysInTheCache() {
        int[] answer = llm.tokenizer().encode("I am a fish.");
        int[] first = rendered(HELLO);
        Integer[] script = IntStream.concat(IntStream.of(answer), IntStream.of(Fakes.EOS))
                .boxed()
                .toArray(Integer[]::new);
        runner.script(first.length, script);
        Session session = llm.session();
        assertEquals(
                "I am a fish.", session.chat(HELLO, GenerationOptions.greedy()).text());
        assertEquals(first.length + script.length, session.position());
        runner.script(0);

        Conversation next = HELLO.with(ChatMessage.assistant("I am a fish.")).with(ChatMessage.user("Which one?"));
        int[] second = rendered(next);
        int before = runner.rows.get();
        List<GenerationEvent> events = events(session.chat(next, tokens(4)));
        assertEquals(greedy(runner, list(second), 4), FakeStepRunner.ids(events));
        // All of the first turn but its last id, the end of the answer, was computed before.
        int cached = first.length + answer.length;
        assertEquals(second.length - cached + 3, runner.rows.get() - before);
        assertEquals(cached, finished(events).usage().cachedTokens());
        assertEquals(second.length, finished(events).usage().promptTokens());
    }

    @Test
    void aChangedConversationIsCutWhereItDiffers() {
        Session session = llm.session();
        session.chat(HELLO, tokens(8)).text();
        Conversation other = Conversation.of(ChatMessage.system("Be brief."), ChatMessage.user("Goodbye!"));
        assertEquals(greedy(runner, list(rendered(other)), 5), FakeStepRunner.ids(session.chat(other, tokens(5))));
        List<Integer> expected = new ArrayList<>(list(rendered(other)));
        expected.addAll(greedy(runner, expected, 5));
        assertEquals(expected, list(session.tokens()));
        // The same conversation again: everything is cached, one row is run again for its logits.
        int before = runner.rows.get();
        assertEquals(greedy(runner, list(rendered(other)), 1), FakeStepRunner.ids(session.chat(other, tokens(1))));
        assertEquals(1, runner.rows.get() - before);
    }

    @Test
    void nothingIsForgottenUntilTheAnswerIsAskedFor() {
        Session session = llm.session();
        session.chat(HELLO, tokens(8)).text();
        List<Integer> held = list(session.tokens());
        Generation unread = session.chat(Conversation.of(ChatMessage.user("Other")), tokens(5));
        assertEquals(held, list(session.tokens()));
        unread.close();
        assertEquals(held, list(session.tokens()));
        assertThrows(
                ContextOverflowException.class,
                () -> session.chat(Conversation.of(ChatMessage.user("long ".repeat(3000))), tokens(5)));
        assertEquals(held, list(session.tokens()));
    }

    @Test
    void withoutTemplateOrTokenizerTheErrorNamesTheFiles() {
        try (Llm bare = Fakes.withoutText(runner);
                Session session = bare.session()) {
            assertFalse(bare.hasChatTemplate());
            assertFalse(bare.hasTokenizer());
            String tokenizer =
                    assertThrows(CheckpointException.class, bare::tokenizer).getMessage();
            assertTrue(tokenizer.startsWith("the model: expected tokenizer.json, or tiktoken.model"), tokenizer);
            String template = assertThrows(CheckpointException.class, () -> bare.renderChat(HELLO))
                    .getMessage();
            assertTrue(template.startsWith("the model: expected a chat template, in chat_template.jinja"), template);
            assertThrows(CheckpointException.class, () -> session.chat(HELLO, tokens(1)));
        }
    }

    @Test
    void messagesKeepTheirFields() {
        ChatMessage call = new ChatMessage("assistant", null, Map.of("tool_calls", List.of("f")));
        Conversation conversation =
                Conversation.of(call).withTools(List.of(Map.of("name", "f"))).withVariables(Map.of("thinking", true));
        assertEquals("assistant", conversation.messages().get(0).get("role"));
        assertTrue(conversation.messages().get(0).containsKey("content"));
        assertEquals(List.of("f"), conversation.messages().get(0).get("tool_calls"));
        assertEquals(List.of(Map.of("name", "f")), conversation.tools());
        assertEquals(Map.of("thinking", true), conversation.variables());
    }
}
