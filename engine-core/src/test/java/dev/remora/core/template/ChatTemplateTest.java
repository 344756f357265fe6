package dev.remora.core.template;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ChatTemplateTest {
    private static String render(String template, Map<String, Object> variables) {
        return ChatTemplate.compile(template, "t", TemplateGoldens.CLOCK).render(variables);
    }

    private static TemplateException fails(String template) {
        return assertThrows(TemplateException.class, () -> render(template, Map.of("t", true)));
    }

    @Test
    void errorsNameSourceLineAndCause() {
        ChatTemplate template = ChatTemplate.compile(
                "a\n{{ raise_exception('roles must alternate') }}", "tokenizer_config.json: chat_template");
        TemplateException e = assertThrows(TemplateException.class, () -> template.render(Map.of()));
        assertEquals("tokenizer_config.json: chat_template, line 2: roles must alternate", e.getMessage());
        assertEquals(2, e.line());
        assertEquals("roles must alternate", e.reason());
        assertTrue(e.getCause() instanceof PyError);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '#',
            value = {
                "{{ x|nope }} # no filter named 'nope'",
                "{{ [1]|random }} # no filter named 'random': a chat template must give the same text every time",
                "{% include 'a' %} # 'include' is not supported: a chat template stands alone, without other files",
                "{% if t %}x # 'if' has no 'endif'",
                "{% endif %} # misplaced tag 'endif'",
                "{{ '\\N{DASH}' }} # the escape \\N{...} is not supported; write the character or \\u and its code",
                "{{ ''.__class__ }}{{ ''.__class__.x }} # access to attribute '__class__' of 'str' object is unsafe:"
                        + " internals are hidden in a chat template",
                "{{ strftime_now('%Q') }} # strftime_now(): %Q is not supported",
            })
    void errorsSayWhatIsWrong(String template, String reason) {
        assertEquals(reason.strip(), fails(template).reason());
    }

    @Test
    void errorsInExpressionsOverSeveralLinesHaveTheirOwnLine() {
        assertEquals(3, fails("\n{{ 'a' ~\n 'b' ~ (1 + 'c') }}").line());
    }

    @ParameterizedTest
    @ValueSource(strings = {"(", "[", "{1:", "-", "not ", "a[", "f(", "1 if 1 else ", "{% if t %}", "{% for x in y %}"})
    void deepNestingIsAnErrorNotAnOverflow(String opening) {
        String nested = opening.repeat(100_000);
        TemplateException e = fails(opening.startsWith("{%") ? nested : "{{ " + nested);
        assertEquals("nested too deeply", e.reason());
    }

    @ParameterizedTest
    @ValueSource(strings = {"+1", "*1", "**1", " and 1", " or 1", ".a", "[0]", "()", "|string", " if 1"})
    void longChainsAreAnErrorNotAnOverflow(String link) {
        assertEquals(
                "more than 300 operators in a row",
                fails("{{ 1" + link.repeat(100_000) + " }}").reason());
    }

    @Test
    void chainsAndNestingWithinTheLimitsWork() {
        assertEquals("300", render("{{ 0" + "+1".repeat(300) + " }}", Map.of()));
        assertEquals("1", render("{{ " + "(".repeat(90) + "1" + ")".repeat(90) + " }}", Map.of()));
        assertEquals("x".repeat(1000), render("{{ ''" + " ~ 'x'".repeat(1000) + " }}", Map.of()));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '#',
            value = {
                "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }} # macro calls inside one another",
                "{% for x in [[]] recursive %}{{ loop([[]]) }}{% endfor %} # macro calls inside one another",
                "{{ 'x' * 100000000 }} # the text grows beyond",
                "{{ 2 * ([0] * 9000000) }} # the list grows beyond",
                "{{ 10 ** (10 ** 10) }} # the integer grows beyond",
                "{{ (2 ** 60000) * (2 ** 60000) }} # the integer grows beyond",
                "{{ range(100001) }} # range too big",
                "{{ 'a'.center(2000000000) }} # the text grows beyond",
                "{{ 'a'.zfill(2147483647) }} # the text grows beyond",
                "{{ '%2000000000d' % 1 }} # the text grows beyond",
                "{{ '{:2000000000}'.format(1) }} # the text grows beyond",
                "{{ 'a\\nb'|indent(2000000000) }} # the text grows beyond",
                "{{ [1]|batch(2000000000, 0)|list }} # the list grows beyond",
                "{% set n = namespace(s='ab') %}{% for i in range(99) %}{% set n.s = n.s ~ n.s %}{% endfor %}"
                        + " # the text grows beyond",
                "{% set n = namespace(s=['ab']) %}{% for i in range(99) %}{% set n.s = [n.s, n.s] %}{% endfor %}"
                        + "{{ n.s }} # the text grows beyond",
                "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %} # loop iterations",
                "{% set n = namespace() %}{% set n.n = n %}{{ n }} # nested too deeply",
            })
    void workAndMemoryAreBounded(String template, String reason) {
        String message = fails(template).reason();
        assertTrue(message.contains(reason.strip()), message);
    }

    @Test
    void mutualRecursionEndsInAnErrorOnASmallStack() throws InterruptedException {
        List<Throwable> thrown = new ArrayList<>();
        Thread thread = new Thread(
                null,
                () -> thrown.add(
                        fails("{% macro f(x) %}{% if t %}{% for i in [1] %}{{ (f([x])) }}{% endfor %}{% endif %}"
                                + "{% endmacro %}{{ f(1) }}")),
                "small",
                256 << 10);
        thread.start();
        thread.join();
        assertEquals(1, thrown.size());
    }

    @Test
    void variablesAreNeitherChangedNorHiddenByFailures() {
        Map<String, Object> variables = new HashMap<>(Map.of("messages", List.of(Map.of("role", "user")), "x", 1L));
        Map<String, Object> before = Map.copyOf(variables);
        assertEquals("2", render("{% set x = 2 %}{% set messages = [] %}{{ x }}", variables));
        assertEquals(before, variables);
    }

    @Test
    void takesAllKindsOfNumbersAndNulls() {
        Map<String, Object> variables = new HashMap<>();
        variables.put("i", 3);
        variables.put("f", 1.5f);
        variables.put("b", BigInteger.TWO.pow(70));
        variables.put("none", null);
        variables.put("z", null);
        assertEquals(
                "4 3.0 1180591620717411303425 None True",
                render("{{ i + 1 }} {{ f * 2 }} {{ b + 1 }} {{ z }} {{ {3: 'x'}[i] == 'x' }}", variables));
        TemplateException e = assertThrows(TemplateException.class, () -> render("{{ o }}", Map.of("o", new Object())));
        assertEquals("a value of class java.lang.Object cannot be used in a template", e.reason());
    }

    @Test
    void oneTemplateServesManyThreads() throws Exception {
        ChatTemplate template = ChatTemplate.compile(
                "{% set ns = namespace(n=0) %}{% macro f(i) %}{{ i * k }},{% endmacro %}"
                        + "{% for i in range(50) %}{{ f(i) }}{% set ns.n = ns.n + 1 %}{% endfor %}{{ ns.n }}",
                "t");
        try (ExecutorService pool = Executors.newFixedThreadPool(8)) {
            List<Future<String>> texts = new ArrayList<>();
            for (int t = 0; t < 64; t++) {
                Map<String, Object> variables = Map.of("k", (long) t);
                texts.add(pool.submit(() -> template.render(variables)));
            }
            for (int t = 0; t < 64; t++) {
                int k = t;
                String expected =
                        IntStream.range(0, 50).mapToObj(i -> i * k + ",").collect(Collectors.joining()) + "50";
                assertEquals(expected, texts.get(t).get());
            }
        }
    }
}
