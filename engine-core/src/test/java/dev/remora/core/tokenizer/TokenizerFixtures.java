package dev.remora.core.tokenizer;

import dev.remora.core.json.Json;
import dev.remora.core.json.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.zip.GZIPInputStream;

/** Tokenizers and texts that several tests use. */
final class TokenizerFixtures {
    static final Path BUNDLED = Path.of("..", "models", "remora-tiny");
    private static final String[] BITS = {
        "the",
        " quick",
        "Fox",
        " ",
        "  ",
        "\n",
        "\r\n",
        "\t",
        "\u00A0",
        "\u3000",
        "\u0085",
        "\u200D",
        "1",
        "23",
        "4567",
        "½",
        "Ⅷ",
        "١",
        "!",
        "...",
        "_",
        "'s",
        "'LL",
        "'ſ",
        "é",
        "e\u0301",
        "ß",
        "İ",
        "Σ",
        "中文",
        "ひら",
        "カタ",
        "ー",
        "한국",
        "ไทย",
        "हिन्दी",
        "العربية",
        "😀",
        "👩‍👩‍👧",
        "🇩🇪",
        "𝔘",
        "𠀀",
        "€",
        "$",
        "<",
        "｜",
        "\u2028",
        "\u0000",
        "ǅ",
        "ʰ",
        "\u20DD",
        "\uFEFF",
        "\uFFFD",
        "\uE000"
    };

    private TokenizerFixtures() {}

    static byte[] resource(String name) {
        try (InputStream in = TokenizerFixtures.class.getResourceAsStream(name)) {
            return name.endsWith(".gz") ? new GZIPInputStream(in).readAllBytes() : in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static JsonObject config(String folder) {
        return Json.object(resource("/tokenizers/" + folder + "/tokenizer_config.json"), "tokenizer_config.json");
    }

    /** {@code deepseek-v3}, {@code kimi-mini} or {@code remora-tiny}. */
    static Tokenizer load(String name) {
        return switch (name) {
            case "deepseek-v3" -> DeepSeek.TOKENIZER;
            case "kimi-mini" ->
                TokenizerLoader.fromTiktoken(
                        resource("/tokenizers/kimi-mini/tiktoken.model"), "tiktoken.model", config(name));
            case "remora-tiny" ->
                TokenizerLoader.fromJson(
                        file("tokenizer.json"),
                        "tokenizer.json",
                        Json.object(file("tokenizer_config.json"), "tokenizer_config.json"));
            default -> throw new IllegalArgumentException(name);
        };
    }

    static byte[] file(String bundled) {
        try {
            return Files.readAllBytes(BUNDLED.resolve(bundled));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Loaded once: it is large. */
    private static final class DeepSeek {
        static final Tokenizer TOKENIZER = TokenizerLoader.fromJson(
                resource("/tokenizers/deepseek-v3/tokenizer.json.gz"), "tokenizer.json", config("deepseek-v3"));
    }

    /** A small byte-level model: bytes, then {@code th}, {@code the} and {@code Ġthe} with ids 256 to 258. */
    static String smallJson(String normalizer, String preTokenizer, String decoder, String addedTokens) {
        StringBuilder vocab = new StringBuilder();
        for (int b = 0; b < 256; b++) {
            String token = String.valueOf(ByteLevel.charOf(b));
            vocab.append('"')
                    .append(token.equals("\"") || token.equals("\\") ? "\\" : "")
                    .append(token)
                    .append("\":")
                    .append(b)
                    .append(',');
        }
        return "{\"added_tokens\":[" + addedTokens + "],\"normalizer\":" + normalizer + ",\"pre_tokenizer\":"
                + preTokenizer + ",\"decoder\":" + decoder + ",\"model\":{\"type\":\"BPE\",\"vocab\":{" + vocab
                + "\"th\":256,\"the\":257,\"Ġthe\":258},\"merges\":[\"t h\",[\"th\",\"e\"],\"Ġ the\"]}}";
    }

    static final String BYTE_LEVEL = "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":false}";

    static Tokenizer small(String normalizer, String preTokenizer, String addedTokens) {
        return TokenizerLoader.fromJson(
                utf8(smallJson(normalizer, preTokenizer, BYTE_LEVEL, addedTokens)), "tokenizer.json");
    }

    static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** The pieces into which a {@code pre_tokenizer} cuts a text. */
    static List<String> pieces(String preTokenizer, String text) {
        var result = PreTokenizerReader.read(Json.object(utf8(preTokenizer), "tokenizer.json: pre_tokenizer"));
        List<String> pieces = new java.util.ArrayList<>();
        PreTokenizer.PieceConsumer consumer = (t, from, to, start) -> pieces.add(new String(t, from, to - from));
        for (PreTokenizer step : result.steps().reversed()) {
            PreTokenizer.PieceConsumer next = consumer;
            consumer = (t, from, to, start) -> step.split(t, from, to, start, next);
        }
        char[] chars = text.toCharArray();
        consumer.accept(chars, 0, chars.length, true);
        return pieces;
    }

    /** Words, signs and single code points of all of Unicode, without lone surrogates. */
    static String randomText(Random random, int parts) {
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(parts + 1); i > 0; i--) {
            switch (random.nextInt(4)) {
                case 0 -> text.append((char) (' ' + random.nextInt(95)));
                case 1 -> {
                    int c = random.nextInt(random.nextBoolean() ? 0x3100 : 0x110000);
                    text.appendCodePoint(c >= 0xD800 && c < 0xE000 ? 'x' : c);
                }
                default -> text.append(BITS[random.nextInt(BITS.length)]);
            }
        }
        return text.toString();
    }
}
