package dev.remora.core.tokenizer;

import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.function.UnaryOperator;

/** A byte pair encoding with all that stands around it in a file. */
final class BpeTokenizer implements Tokenizer {
    private final Vocabulary vocabulary;
    private final AddedTokenMatcher rawTokens;
    private final AddedTokenMatcher normalizedTokens;
    private final Normalizer normalizer;
    private final List<PreTokenizer> steps;
    private final BytePairEncoder encoder;
    private final TokenDecoder decoder;
    private final PreTokenizer chunks;
    private final SpecialTokens specialTokens;

    /**
     * Of one file.
     *
     * @param normalizer null for none
     * @param chunks cuts the text before anything else; null for one chunk
     */
    BpeTokenizer(
            Vocabulary vocabulary,
            List<AddedToken> added,
            Normalizer normalizer,
            List<PreTokenizer> steps,
            BytePairEncoder encoder,
            TokenDecoder decoder,
            PreTokenizer chunks,
            SpecialTokens specialTokens) {
        this.vocabulary = vocabulary;
        this.normalizer = normalizer;
        this.steps = steps;
        this.encoder = encoder;
        this.decoder = decoder;
        this.chunks = chunks;
        this.specialTokens = specialTokens;
        rawTokens = matcher(added.stream().filter(t -> !t.normalized()).toList(), UnaryOperator.identity());
        normalizedTokens = matcher(added.stream().filter(AddedToken::normalized).toList(), this::normalize);
    }

    private static AddedTokenMatcher matcher(List<AddedToken> tokens, UnaryOperator<String> spelling) {
        return tokens.isEmpty() ? null : new AddedTokenMatcher(tokens, spelling);
    }

    @Override
    public int[] encode(String text) {
        return encode(text, true);
    }

    @Override
    public int[] encodeOrdinary(String text) {
        return encode(text, false);
    }

    private int[] encode(String text, boolean recognise) {
        char[] chars = wellFormed(text);
        IntList ids = new IntList(chars.length / 3);
        PreTokenizer.PieceConsumer words = encoder.into(ids);
        for (PreTokenizer step : steps.reversed()) {
            PreTokenizer.PieceConsumer next = words;
            words = (t, from, to, atStart) -> step.split(t, from, to, atStart, next);
        }
        PreTokenizer.PieceConsumer ordinary = words;
        PreTokenizer.PieceConsumer whole =
                (t, from, to, atStart) -> raw(t, from, to, atStart, ordinary, recognise ? ids : null);
        if (chars.length > 0 && chunks != null) {
            chunks.split(chars, 0, chars.length, true, whole);
        } else if (chars.length > 0) {
            whole.accept(chars, 0, chars.length, true);
        }
        return ids.toArray();
    }

    /** @param tokens receives the added tokens; null if none is to be recognised */
    private void raw(char[] text, int from, int to, boolean atStart, PreTokenizer.PieceConsumer words, IntList tokens) {
        if (tokens == null || rawTokens == null) {
            normalized(text, from, to, atStart, words, tokens);
            return;
        }
        rawTokens.scan(text, from, to, (token, start, end) -> {
            if (token != null) {
                tokens.add(token.id());
            } else {
                normalized(text, start, end, atStart && start == from, words, tokens);
            }
        });
    }

    private void normalized(
            char[] raw, int rawFrom, int rawTo, boolean atStart, PreTokenizer.PieceConsumer words, IntList tokens) {
        boolean same = normalizer == null;
        char[] text = same
                ? raw
                : normalize(new String(raw, rawFrom, rawTo - rawFrom)).toCharArray();
        int from = same ? rawFrom : 0;
        int to = same ? rawTo : text.length;
        if (from == to) {
            return;
        }
        if (tokens == null || normalizedTokens == null) {
            words.accept(text, from, to, atStart);
            return;
        }
        normalizedTokens.scan(text, from, to, (token, start, end) -> {
            if (token != null) {
                tokens.add(token.id());
            } else {
                words.accept(text, start, end, atStart && start == from);
            }
        });
    }

    private String normalize(String text) {
        return normalizer == null ? text : normalizer.normalize(text);
    }

    /** The characters of a text, with U+FFFD for each lone surrogate. */
    private static char[] wellFormed(String text) {
        char[] chars = text.toCharArray();
        for (int i = 0; i < chars.length; i++) {
            if (Character.isSurrogate(chars[i])) {
                if (i + 1 < chars.length && Character.isSurrogatePair(chars[i], chars[i + 1])) {
                    i++;
                } else {
                    chars[i] = '\uFFFD';
                }
            }
        }
        return chars;
    }

    @Override
    public String decode(int[] ids, int from, int to) {
        Objects.checkFromToIndex(from, to, ids.length);
        StringBuilder out = new StringBuilder((to - from) * 4);
        TokenDecoder.Stream stream = decoder.open();
        for (int i = from; i < to; i++) {
            push(ids[i], false, stream, out);
        }
        stream.finish(out);
        return out.toString();
    }

    @Override
    public StreamingDecoder newDecoder(boolean skipSpecial) {
        TokenDecoder.Stream stream = decoder.open();
        StringBuilder out = new StringBuilder();
        return new StreamingDecoder() {
            @Override
            public String push(int id) {
                BpeTokenizer.this.push(id, skipSpecial, stream, out);
                return take();
            }

            @Override
            public String flush() {
                stream.finish(out);
                return take();
            }

            private String take() {
                String text = out.toString();
                out.setLength(0);
                return text;
            }
        };
    }

    private void push(int id, boolean skipSpecial, TokenDecoder.Stream stream, StringBuilder out) {
        String token = find(id);
        if (token != null && !(skipSpecial && isSpecial(id))) {
            stream.push(token, out);
        }
    }

    private String find(int id) {
        if (id < 0) {
            throw new IllegalArgumentException("a token id is never negative, found " + id);
        }
        return vocabulary.token(id);
    }

    @Override
    public byte[] bytes(int id) {
        String token = find(id);
        return token == null ? new byte[0] : decoder.bytes(token);
    }

    @Override
    public int vocabSize() {
        return vocabulary.size();
    }

    @Override
    public OptionalInt idOf(String token) {
        int id = vocabulary.id(token);
        return id < 0 ? OptionalInt.empty() : OptionalInt.of(id);
    }

    @Override
    public String token(int id) {
        String token = find(id);
        if (token == null) {
            throw new IllegalArgumentException(
                    "no token has id " + id + "; the vocabulary has ids below " + vocabulary.size());
        }
        return token;
    }

    @Override
    public boolean isSpecial(int id) {
        return vocabulary.isSpecial(id);
    }

    @Override
    public SpecialTokens specialTokens() {
        return specialTokens;
    }
}
