package dev.remora.models.eval;

import dev.remora.core.CheckpointException;
import dev.remora.core.checkpoint.CheckpointSource;
import dev.remora.core.json.Json;
import dev.remora.core.json.JsonObject;
import dev.remora.models.runtime.BundledModel;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;

/**
 * Labelled texts and their ontology. The texts are a file of JSON lines, each an object with a label and either a question
 * and its answer, under {@code user} and {@code assistant}, or a text that stands by itself, under "text"; the labels stand
 * in {@code labels.json}, see {@link Ontology}.
 *
 * @param source   where the texts were read from, for people
 * @param ontology knows the label of every text
 * @param texts    in the order of the file
 */
public record LabelledCorpus(String source, Ontology ontology, List<LabelledText> texts) {
    private static final String TEXTS = "eval.jsonl";
    private static final String LABELS = "labels.json";

    public LabelledCorpus {
        texts = List.copyOf(texts);
    }

    /**
     * The evaluation set of the bundled model: 500 texts that its training never saw.
     *
     * @throws CheckpointException if the artifact remora-tiny is not on the class path or module path
     */
    public static LabelledCorpus bundled() {
        CheckpointSource files = BundledModel.source();
        LabelledCorpus corpus = parse(files.read(TEXTS), files.describe(TEXTS), Ontology.bundled());
        return new LabelledCorpus("remora-tiny's " + TEXTS, corpus.ontology(), corpus.texts());
    }

    /**
     * Reads a file whose {@code labels.json} lies beside it.
     *
     * @throws CheckpointException as {@link #parse} does, or if a file cannot be read
     */
    public static LabelledCorpus read(Path texts) {
        return read(texts, texts.resolveSibling(LABELS));
    }

    /**
     * Reads two files.
     *
     * @throws CheckpointException as {@link #parse} does, or if a file cannot be read
     */
    public static LabelledCorpus read(Path texts, Path labels) {
        byte[] lines = Ontology.bytes(texts);
        return parse(lines, texts.toString(), Ontology.read(labels));
    }

    /**
     * Reads the lines of a corpus; empty ones are passed over.
     *
     * @param source names them in messages
     * @throws CheckpointException if a line is not understood or its label unknown, with the line's number; or if there
     *     is no text at all
     */
    public static LabelledCorpus parse(byte[] utf8, String source, Ontology ontology) {
        List<LabelledText> texts = new ArrayList<>();
        int number = 0;
        for (String line : decode(utf8, source).split("\n", -1)) {
            number++;
            if (!line.isBlank()) {
                texts.add(text(line, source + ", line " + number, ontology));
            }
        }
        if (texts.isEmpty()) {
            throw new CheckpointException(
                    source + ": expected a JSON object with label and text on each line, found no" + " line at all");
        }
        return new LabelledCorpus(source, ontology, texts);
    }

    /**
     * One text of which nothing is known; its label is {@code text}.
     *
     * @param source names it
     * @throws CheckpointException if it is empty
     */
    public static LabelledCorpus ofText(String source, String text) {
        if (text.isEmpty()) {
            throw new CheckpointException(source + ": expected a text, found an empty one");
        }
        Ontology one = Ontology.parse("{\"labels\":{\"text\":{}}}".getBytes(StandardCharsets.UTF_8), source);
        return new LabelledCorpus(source, one, List.of(new LabelledText("text", Optional.empty(), text, source)));
    }

    private static String decode(byte[] utf8, String source) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(utf8))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new CheckpointException(source + ": expected UTF-8, found other bytes; convert the file first", e);
        }
    }

    private static LabelledText text(String line, String source, Ontology ontology) {
        JsonObject json = JsonObject.of(Json.parse(line, source), source);
        String label = json.string("label");
        if (!ontology.contains(label)) {
            throw new CheckpointException(source + ": label: expected one of those in " + ontology.source()
                    + ", found \"" + label + "\"; add it there with its parent, or correct it");
        }
        if (json.has("text") == json.has("user") || json.has("user") != json.has("assistant")) {
            throw new CheckpointException(
                    source + ": expected text, or user with assistant, beside label, found the keys " + json.keys());
        }
        Optional<String> question = json.has("user") ? Optional.of(json.string("user")) : Optional.empty();
        String text = json.string(question.isPresent() ? "assistant" : "text");
        if (text.isEmpty()) {
            throw new CheckpointException(source + ": " + (question.isPresent() ? "assistant" : "text")
                    + ": expected a text, found an empty one");
        }
        return new LabelledText(label, question, text, source);
    }

    /** The first {@code count} texts, or all if there are fewer. */
    public LabelledCorpus first(int count) {
        if (count < 1) {
            throw new IllegalArgumentException("count: expected at least 1, found " + count);
        }
        return new LabelledCorpus(source, ontology, texts.subList(0, Math.min(count, texts.size())));
    }

    /** Texts of each label and of the labels below it, in the order of the tree. */
    public SequencedMap<String, Integer> sizes() {
        Map<String, Integer> own = new LinkedHashMap<>();
        texts.forEach(text -> own.merge(text.label(), 1, Integer::sum));
        return ontology.rollUp(own, Integer::sum);
    }
}
