package dev.remora.core.tokenizer;

import dev.remora.core.CheckpointException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** All tokens of a file, those of the model and the added ones, and their ids. Immutable. */
final class Vocabulary {
    /** Far beyond any vocabulary (the largest known has 262,144); an array of this size still does no harm. */
    private static final int MAX_ID = 1 << 24;

    private final Map<String, Integer> ids;
    private final String[] tokens;
    private final boolean[] special;

    /**
     * Joins the tokens of the model with the added ones.
     *
     * @param model id of each token of the model; taken over, not copied
     * @param source the file, for errors
     */
    Vocabulary(Map<String, Integer> model, List<AddedToken> added, String source) {
        int max = -1;
        for (Map.Entry<String, Integer> e : model.entrySet()) {
            max = Math.max(max, checkId(e.getKey(), e.getValue(), source));
        }
        for (AddedToken token : added) {
            max = Math.max(max, checkId(token.content(), token.id(), source));
        }
        ids = model;
        tokens = new String[max + 1];
        special = new boolean[max + 1];
        model.forEach((token, id) -> set(token, id, source));
        for (AddedToken token : added) {
            Integer known = ids.putIfAbsent(token.content(), token.id());
            if (known == null) {
                set(token.content(), token.id(), source);
            } else if (known != token.id()) {
                throw new CheckpointException(source + ": the added token \"" + token.content() + "\" has id "
                        + token.id() + ", but the vocabulary gives it " + known);
            }
            special[token.id()] |= token.special();
        }
    }

    private static int checkId(String token, int id, String source) {
        if (id < 0 || id > MAX_ID) {
            throw new CheckpointException(
                    source + ": token \"" + token + "\": expected an id from 0 to " + MAX_ID + ", found " + id);
        }
        return id;
    }

    private void set(String token, int id, String source) {
        if (tokens[id] != null) {
            throw new CheckpointException(
                    source + ": id " + id + " belongs to two tokens, \"" + tokens[id] + "\" and \"" + token + "\"");
        }
        tokens[id] = token;
    }

    /** A mutable map of the capacity that a vocabulary of this size needs. */
    static Map<String, Integer> newMap(int size) {
        return HashMap.newHashMap(size + 1024);
    }

    int size() {
        return tokens.length;
    }

    /** The id of a token, or -1. */
    int id(String token) {
        return ids.getOrDefault(token, -1);
    }

    /** The token of an id, or null. */
    String token(int id) {
        return id < tokens.length ? tokens[id] : null;
    }

    boolean isSpecial(int id) {
        return id >= 0 && id < special.length && special[id];
    }
}
