package dev.remora.core.template;

import static dev.remora.core.template.TemplateGoldens.CLOCK;
import static dev.remora.core.template.TemplateGoldens.list;
import static dev.remora.core.template.TemplateGoldens.map;
import static dev.remora.core.template.TemplateGoldens.read;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Everything that the reference's Jinja renders is rendered to the same text; where it fails, so do we, on its line. */
class ChatTemplateGoldenTest {
    private static final Map<String, Object> GOLDENS = read("/goldens/templates.json");

    @TestFactory
    Stream<DynamicTest> features() {
        Map<String, Object> variables = map(GOLDENS.get("variables"));
        return list(GOLDENS.get("features")).stream().map(feature -> {
            String template = (String) map(feature).get("template");
            return DynamicTest.dynamicTest(template, () -> check(template, variables, map(feature)));
        });
    }

    @TestFactory
    Stream<DynamicTest> publishedStyles() {
        List<DynamicTest> tests = new ArrayList<>();
        for (Object model : list(GOLDENS.get("models"))) {
            String template = (String) map(model).get("template");
            List<Object> cases = list(map(model).get("cases"));
            for (int i = 0; i < cases.size(); i++) {
                Map<String, Object> golden = map(cases.get(i));
                tests.add(DynamicTest.dynamicTest(
                        map(model).get("name") + " " + i, () -> check(template, map(golden.get("variables")), golden)));
            }
        }
        assertTrue(tests.size() > 100, "cases: " + tests.size());
        return tests.stream();
    }

    private static void check(String template, Map<String, Object> variables, Map<String, Object> golden) {
        if (golden.containsKey("text")) {
            String text = ChatTemplate.compile(template, "test", CLOCK).render(variables);
            assertEquals(golden.get("text"), text);
            return;
        }
        TemplateException e = assertThrows(
                TemplateException.class,
                () -> ChatTemplate.compile(template, "test", CLOCK).render(variables),
                () -> "expected: " + golden.get("error"));
        assertEquals("test, line " + e.line() + ": " + e.reason(), e.getMessage());
        String error = (String) golden.get("error");
        if (error.startsWith("TemplateError: ")) {
            assertEquals(error.substring("TemplateError: ".length()), e.reason());
        }
        if (golden.get("line") != null) { // Jinja loses it where Python refuses the code that it makes
            assertEquals(golden.get("line"), (long) e.line(), e.getMessage() + " / " + error);
        }
    }

    /** The published chat goldens: a template, and messages with the text they become. */
    @TestFactory
    Stream<DynamicTest> deepSeekV3() {
        Map<String, Object> goldens = read("/goldens/deepseek-v3.chat.json");
        ChatTemplate template = ChatTemplate.compile((String) goldens.get("chat_template"), "deepseek-v3.chat.json");
        List<Object> cases = list(goldens.get("cases"));
        assertTrue(!cases.isEmpty());
        return cases.stream()
                .map(golden ->
                        DynamicTest.dynamicTest(map(golden).get("messages").toString(), () -> {
                            Map<String, Object> variables = new HashMap<>(goldens);
                            variables.putAll(map(golden));
                            assertEquals(map(golden).get("text"), template.render(variables));
                        }));
    }
}
