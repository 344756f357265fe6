package dev.remora.models.eval;

import dev.remora.core.CheckpointException;
import dev.remora.core.tokenizer.SpecialTokens;
import dev.remora.core.tokenizer.Tokenizer;
import dev.remora.models.ChatMessage;
import dev.remora.models.Conversation;
import dev.remora.models.Llm;
import java.util.Arrays;
import java.util.OptionalInt;

/**
 * A labelled text as ids: what the model is given, and what it should say. A question is rendered with the model's chat
 * template, up to where the answer begins; without a template it stands on a line of its own. A text that stands by itself
 * follows the BOS token. The end of the sequence belongs to the answer. Immutable.
 */
public final class RenderedText {
    private final int[] prompt;
    private final int[] answer;

    private RenderedText(int[] prompt, int[] answer) {
        this.prompt = prompt;
        this.answer = answer;
    }

    /**
     * Renders a text for a model.
     *
     * @throws CheckpointException if the model has no tokenizer
     * @throws dev.remora.core.template.TemplateException if its chat template fails
     */
    public static RenderedText of(Llm llm, LabelledText text) {
        Tokenizer tokenizer = llm.tokenizer();
        SpecialTokens special = tokenizer.specialTokens();
        if (text.question().isEmpty()) {
            return new RenderedText(
                    begin(special.bos(), new int[0]), end(tokenizer.encodeOrdinary(text.text()), special.eos()));
        }
        String question = text.question().get();
        if (!llm.hasChatTemplate()) {
            return new RenderedText(
                    begin(special.bos(), tokenizer.encodeOrdinary(question + "\n")),
                    end(tokenizer.encodeOrdinary(text.text()), special.eos()));
        }
        Conversation asked = Conversation.of(ChatMessage.user(question));
        int[] prompt = tokenizer.encode(llm.renderChat(asked));
        int[] whole = tokenizer.encode(
                llm.renderChat(asked.with(ChatMessage.assistant(text.text())).withAddGenerationPrompt(false)));
        int same = Arrays.mismatch(prompt, whole);
        if (same == prompt.length && whole.length > prompt.length) {
            return new RenderedText(prompt, Arrays.copyOfRange(whole, prompt.length, whole.length));
        }
        // A template that writes past turns in another way than the one that is being answered.
        return new RenderedText(prompt, end(tokenizer.encodeOrdinary(text.text()), special.eos()));
    }

    /** What the model is given; at least one id, unless it knows no BOS token. A copy. */
    public int[] prompt() {
        return prompt.clone();
    }

    /** What it should say: ids whose probability is asked for, or that an answer is compared with. A copy. */
    public int[] answer() {
        return answer.clone();
    }

    /** Prompt and answer. */
    public int[] ids() {
        int[] ids = Arrays.copyOf(prompt, prompt.length + answer.length);
        System.arraycopy(answer, 0, ids, prompt.length, answer.length);
        return ids;
    }

    private static int[] begin(OptionalInt bos, int[] ids) {
        if (bos.isEmpty()) {
            return ids;
        }
        int[] begun = new int[ids.length + 1];
        begun[0] = bos.getAsInt();
        System.arraycopy(ids, 0, begun, 1, ids.length);
        return begun;
    }

    private static int[] end(int[] ids, OptionalInt eos) {
        if (eos.isEmpty()) {
            return ids;
        }
        int[] ended = Arrays.copyOf(ids, ids.length + 1);
        ended[ids.length] = eos.getAsInt();
        return ended;
    }
}
