package dev.remora.core.tokenizer;

import dev.remora.core.UnsupportedModelException;
import dev.remora.core.json.JsonObject;
import java.text.Normalizer.Form;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/** Reads the {@code normalizer} of tokenizer.json. */
final class NormalizerReader {
    private static final Pattern MARKS = Pattern.compile("\\p{M}+");
    private static final Pattern LEADING_SPACE = Pattern.compile("\\A\\s+", Pattern.UNICODE_CHARACTER_CLASS);

    private NormalizerReader() {}

    /**
     * The normalizer, or empty where nothing is to be done.
     *
     * @param json the component, or null if the file has none
     */
    static Optional<Normalizer> read(JsonObject json) {
        if (json == null) {
            return Optional.empty();
        }
        String type = json.string("type");
        return switch (type) {
            case "Sequence" ->
                TokenizerJson.objects(json, "normalizers").stream()
                        .map(NormalizerReader::read)
                        .flatMap(Optional::stream)
                        .reduce(Normalizer::then);
            case "NFC" -> Optional.of(form(Form.NFC));
            case "NFD" -> Optional.of(form(Form.NFD));
            case "NFKC" -> Optional.of(form(Form.NFKC));
            case "NFKD" -> Optional.of(form(Form.NFKD));
            case "Lowercase" -> Optional.of(NormalizerReader::lowercase);
            case "StripAccents" -> Optional.of(text -> MARKS.matcher(text).replaceAll(""));
            case "Strip" -> Optional.of(strip(json.bool("strip_left", true), json.bool("strip_right", true)));
            case "Prepend" -> {
                String prefix = json.string("prepend");
                yield Optional.of(text -> text.isEmpty() ? text : prefix + text);
            }
            case "Replace" -> {
                TextPattern pattern = TokenizerJson.pattern(json);
                String content = json.string("content");
                yield Optional.of(text -> replace(text, pattern, content));
            }
            default ->
                throw new UnsupportedModelException(json.source() + ": the normalizer " + type + " is not supported");
        };
    }

    /** Puts {@code content} in place of every match. */
    static String replace(String text, TextPattern pattern, String content) {
        char[] chars = text.toCharArray();
        StringBuilder out = new StringBuilder(chars.length);
        int[] covered = {0};
        pattern.forEachMatch(chars, 0, chars.length, (start, end) -> {
            out.append(chars, covered[0], start - covered[0]).append(content);
            covered[0] = end;
        });
        return out.append(chars, covered[0], chars.length - covered[0]).toString();
    }

    private static Normalizer form(Form form) {
        return text -> java.text.Normalizer.normalize(text, form);
    }

    /** By single characters, so without the rule for a final sigma, as the reference does it. */
    private static String lowercase(String text) {
        StringBuilder out = new StringBuilder(text.length());
        text.codePoints().forEach(c -> {
            if (c < 128) {
                out.append((char) (c >= 'A' && c <= 'Z' ? c + 32 : c));
            } else {
                out.append(Character.toString(c).toLowerCase(Locale.ROOT));
            }
        });
        return out.toString();
    }

    private static Normalizer strip(boolean left, boolean right) {
        return text -> {
            int start = 0;
            int end = text.length();
            if (left) {
                var matcher = LEADING_SPACE.matcher(text);
                start = matcher.find() ? matcher.end() : 0;
            }
            while (right
                    && end > start
                    && LEADING_SPACE.matcher(text.substring(end - 1, end)).matches()) {
                end--;
            }
            return text.substring(start, end);
        };
    }
}
