package dev.remora.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.remora.core.CheckpointException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TextModelTest {
    private static final Conversation HELLO = Conversation.of(ChatMessage.user("Hello"));

    @TempDir
    private Path folder;

    private TextModel with(String file, String content) throws IOException {
        Files.writeString(folder.resolve(file), content);
        return TextModel.load(folder);
    }

    @Test
    void templateOfTheConfigSeesTheSpecialTokens() throws IOException {
        TextModel model = with("tokenizer_config.json", """
                {"bos_token": "<s>", "eos_token": {"content": "</s>", "lstrip": false}, "pad_token": null,
                 "chat_template": "{{ bos_token }}{{ messages[0].content }}{{ eos_token }}{{ pad_token is defined }}"}""");
        assertEquals("<s>Hello</s>False", model.renderChat(HELLO));
        assertFalse(model.hasTokenizer());
    }

    @Test
    void aTemplateFileComesFirst() throws IOException {
        with("tokenizer_config.json", "{\"bos_token\": \"<s>\", \"chat_template\": \"config\"}");
        TextModel model = with("chat_template.jinja", "{{ bos_token }} file {{ mood }}");
        assertEquals("<s> file good", model.renderChat(HELLO.withVariables(Map.of("mood", "good"))));
    }

    @Test
    void ofSeveralTemplatesTheToolsDecide() throws IOException {
        TextModel model = with("tokenizer_config.json", """
                {"chat_template": [{"name": "default", "template": "plain {{ tools is none }}"},
                                   {"name": "tool_use", "template": "tools {{ tools | length }}"}]}""");
        assertEquals("plain True", model.renderChat(HELLO));
        assertEquals("tools 1", model.renderChat(HELLO.withTools(List.of(Map.of("name", "f")))));
    }

    @Test
    void missingAndBrokenFilesAreNamed() throws IOException {
        TextModel model = with("config.json", "{}");
        assertFalse(model.hasChatTemplate());
        String tokenizer =
                assertThrows(CheckpointException.class, model::tokenizer).getMessage();
        assertTrue(tokenizer.startsWith(folder + ": expected tokenizer.json, or tiktoken.model"), tokenizer);
        String template = assertThrows(CheckpointException.class, () -> model.renderChat(HELLO))
                .getMessage();
        assertTrue(template.startsWith(folder + ": expected a chat template"), template);
        String broken = assertThrows(CheckpointException.class, () -> with("tokenizer.json", "{"))
                .getMessage();
        assertTrue(broken.contains("tokenizer.json: invalid JSON"), broken);
    }

    @Test
    void theBundledModelSpeaks() {
        TextModel model = TextModel.bundled();
        int[] ids = model.tokenizer().encode("Once upon a time");
        assertEquals("Once upon a time", model.tokenizer().decode(ids));
        assertTrue(model.hasChatTemplate());
    }
}
