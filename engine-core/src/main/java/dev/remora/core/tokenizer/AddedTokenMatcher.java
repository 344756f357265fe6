package dev.remora.core.tokenizer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;

/** Finds added tokens in a text: leftmost first, of several at one place the longest. Immutable. */
final class AddedTokenMatcher {
    private static final Pattern SPACE = Pattern.compile("\\s", Pattern.UNICODE_CHARACTER_CLASS);
    private static final Pattern WORD = Pattern.compile("\\w", Pattern.UNICODE_CHARACTER_CLASS);

    private final Node root;
    private final boolean[] startsAscii = new boolean[128];
    private final CharClass space;
    private final CharClass word;

    /** Receives the stretches of a text in order; {@code token} is null for text between tokens. */
    @FunctionalInterface
    interface SegmentConsumer {
        void accept(AddedToken token, int from, int to);
    }

    /** @param spelling how a token's content appears in the text that is searched */
    AddedTokenMatcher(List<AddedToken> tokens, UnaryOperator<String> spelling) {
        Builder builder = new Builder();
        for (AddedToken token : tokens) {
            builder.add(spelling.apply(token.content()), token);
        }
        root = builder.build();
        for (char c : root.keys) {
            if (c < 128) {
                startsAscii[c] = true;
            }
        }
        space = tokens.stream().anyMatch(t -> t.lstrip() || t.rstrip()) ? new CharClass(SPACE) : null;
        word = tokens.stream().anyMatch(AddedToken::singleWord) ? new CharClass(WORD) : null;
    }

    void scan(char[] text, int from, int to, SegmentConsumer segments) {
        int done = from;
        int at = from;
        while (at < to) {
            Node match = text[at] < 128 && !startsAscii[text[at]] ? null : longest(text, at, to);
            if (match == null) {
                at++;
                continue;
            }
            int start = at;
            int end = at + match.depth;
            at = end;
            AddedToken token = match.token;
            if (token.singleWord() && touchesWord(text, from, to, start, end)) {
                continue;
            }
            if (token.lstrip()) {
                while (start > done && space.contains(Character.codePointBefore(text, start, done))) {
                    start -= Character.charCount(Character.codePointBefore(text, start, done));
                }
            }
            if (token.rstrip()) {
                while (end < to && space.contains(Character.codePointAt(text, end, to))) {
                    end += Character.charCount(Character.codePointAt(text, end, to));
                }
                at = end;
            }
            if (start > done) {
                segments.accept(null, done, start);
            }
            segments.accept(token, start, end);
            done = end;
        }
        if (to > done) {
            segments.accept(null, done, to);
        }
    }

    private boolean touchesWord(char[] text, int from, int to, int start, int end) {
        return (start > from && word.contains(Character.codePointBefore(text, start, from)))
                || (end < to && word.contains(Character.codePointAt(text, end, to)));
    }

    private Node longest(char[] text, int at, int to) {
        Node best = null;
        Node node = root.child(text[at]);
        for (int i = at + 1; node != null; i++) {
            if (node.token != null) {
                best = node;
            }
            node = i < to ? node.child(text[i]) : null;
        }
        return best;
    }

    /** A node of the trie of all contents. */
    private static final class Node {
        final char[] keys;
        final Node[] children;
        final AddedToken token;
        final int depth;

        Node(char[] keys, Node[] children, AddedToken token, int depth) {
            this.keys = keys;
            this.children = children;
            this.token = token;
            this.depth = depth;
        }

        Node child(char c) {
            if (keys.length == 1) {
                return keys[0] == c ? children[0] : null;
            }
            int index = Arrays.binarySearch(keys, c);
            return index < 0 ? null : children[index];
        }
    }

    private static final class Builder {
        private final TreeMap<Character, Builder> children = new TreeMap<>();
        private AddedToken token;

        void add(String content, AddedToken added) {
            Builder node = this;
            for (int i = 0; i < content.length(); i++) {
                node = node.children.computeIfAbsent(content.charAt(i), c -> new Builder());
            }
            // Of two tokens that are spelt alike the reference finds the first.
            if (node != this && node.token == null) {
                node.token = added;
            }
        }

        Node build() {
            return build(0);
        }

        private Node build(int depth) {
            char[] keys = new char[children.size()];
            List<Node> nodes = new ArrayList<>(keys.length);
            children.forEach((c, child) -> {
                keys[nodes.size()] = c;
                nodes.add(child.build(depth + 1));
            });
            return new Node(keys, nodes.toArray(Node[]::new), token, depth);
        }
    }
}
