package dev.remora.core.tokenizer;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Decodes vocabularies written in plain characters, as sentencepiece models are.
 *
 * @param steps change each token by itself
 * @param byteFallback whether tokens such as {@code <0xE2>} are bytes: a run of them that is not UTF-8 becomes as many
 *     U+FFFD as it has bytes, which is known only at its end
 * @param separator put between tokens
 * @param strip how many leading {@code stripped} to cut off the whole text
 */
record TextDecoder(List<Step> steps, boolean byteFallback, String separator, int strip, char stripped)
        implements TokenDecoder {

    /** Changes a token; {@code first} tells that nothing came before it. */
    @FunctionalInterface
    interface Step {
        String apply(String token, boolean first);
    }

    private String apply(String token, boolean first) {
        String result = token;
        for (Step step : steps) {
            result = step.apply(result, first);
        }
        return result;
    }

    @Override
    public byte[] bytes(String token) {
        String text = apply(token, false);
        int b = byteFallback ? CharacterSymbols.byteOf(text) : -1;
        return b >= 0 ? new byte[] {(byte) b} : text.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public Stream open() {
        return new TextStream();
    }

    private final class TextStream implements Stream {
        private final ByteArrayOutputStream run = new ByteArrayOutputStream();
        private boolean first = true;
        private int toStrip = strip;

        @Override
        public void push(String token, StringBuilder out) {
            String text = apply(token, first);
            int b = byteFallback ? CharacterSymbols.byteOf(text) : -1;
            if (b >= 0) {
                run.write(b);
            } else {
                flushRun(out);
                append(first ? text : separator + text, out);
            }
            first = false;
        }

        @Override
        public void finish(StringBuilder out) {
            flushRun(out);
            first = true;
            toStrip = strip;
        }

        private void flushRun(StringBuilder out) {
            if (run.size() == 0) {
                return;
            }
            String text;
            try {
                text = StandardCharsets.UTF_8
                        .newDecoder()
                        .decode(ByteBuffer.wrap(run.toByteArray()))
                        .toString();
            } catch (CharacterCodingException e) {
                text = "\uFFFD".repeat(run.size());
            }
            run.reset();
            append(text, out);
        }

        private void append(String text, StringBuilder out) {
            int from = 0;
            while (toStrip > 0 && from < text.length()) {
                if (text.charAt(from) == stripped) {
                    from++;
                    toStrip--;
                } else {
                    toStrip = 0;
                }
            }
            out.append(text, from, text.length());
        }
    }
}
