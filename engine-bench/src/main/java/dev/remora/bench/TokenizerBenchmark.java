package dev.remora.bench;

import dev.remora.core.json.Json;
import dev.remora.core.tokenizer.Tokenizer;
import dev.remora.core.tokenizer.TokenizerLoader;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPInputStream;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Text to ids and back on one thread. The column {@code bytes} is UTF-8 bytes per microsecond, which is MB/s.
 *
 * <p>{@code -p tokenizer=FILE} measures another tokenizer.json or tiktoken.model (possibly {@code .gz}, with
 * tokenizer_config.json beside it), {@code -p text=FILE} another text.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class TokenizerBenchmark {
    private static final String BUNDLED = "bundled";
    private static final int TEXT_LENGTH = 1_000_000;

    /** The bundled model's tokenizer, or a file. */
    @Param(BUNDLED)
    public String tokenizer;

    /** What is said in the bundled model's evaluation set, or a file. */
    @Param(BUNDLED)
    public String text;

    private byte[] file;
    private Tokenizer loaded;
    private String prose;
    private int proseBytes;
    private String newWords;
    private int[] ids;

    /** What one operation processed; JMH divides by time. */
    @State(Scope.Thread)
    @AuxCounters(AuxCounters.Type.OPERATIONS)
    public static class Processed {
        public long bytes;
    }

    @Setup
    public void load() throws IOException {
        file = tokenizer.equals(BUNDLED) ? bundled("tokenizer.json") : read(Path.of(tokenizer));
        loaded = loadTokenizer();
        String source = text.equals(BUNDLED) ? conversations() : Files.readString(Path.of(text));
        prose = source.repeat(TEXT_LENGTH / source.length() + 1).substring(0, TEXT_LENGTH);
        proseBytes = prose.getBytes(StandardCharsets.UTF_8).length;
        newWords = randomWords();
        ids = loaded.encode(prose);
        if (!loaded.decode(ids).equals(prose)) {
            throw new IllegalStateException("decoding the ids of the text does not give the text back");
        }
    }

    /** Prose: most words were met before. */
    @Benchmark
    public int[] encode(Processed processed) {
        processed.bytes += proseBytes;
        return loaded.encode(prose);
    }

    /** Random words: hardly any was met before, each is merged. */
    @Benchmark
    public int[] encodeNewWords(Processed processed) {
        processed.bytes += newWords.length();
        return loaded.encode(newWords);
    }

    @Benchmark
    public String decode(Processed processed) {
        processed.bytes += proseBytes;
        return loaded.decode(ids);
    }

    /** Reading the file; the column {@code bytes} is the size of the file. */
    @Benchmark
    public Tokenizer loadTokenizer(Processed processed) {
        processed.bytes += file.length;
        return loadTokenizer();
    }

    private Tokenizer loadTokenizer() {
        if (!tokenizer.contains("tiktoken")) {
            return TokenizerLoader.fromJson(file, tokenizer);
        }
        Path config = Path.of(tokenizer).resolveSibling("tokenizer_config.json");
        return TokenizerLoader.fromTiktoken(file, tokenizer, Json.object(read(config), config.toString()));
    }

    private static String conversations() {
        StringBuilder all = new StringBuilder();
        for (String line : new String(bundled("eval.jsonl"), StandardCharsets.UTF_8)
                .lines()
                .toList()) {
            var conversation = Json.object(line.getBytes(StandardCharsets.UTF_8), "eval.jsonl");
            for (String key : conversation.keys()) {
                if (conversation.get(key) instanceof String said && !key.equals("label")) {
                    all.append(said).append('\n');
                }
            }
        }
        return all.toString();
    }

    private static String randomWords() {
        Random random = new Random(1);
        StringBuilder words = new StringBuilder(TEXT_LENGTH);
        while (words.length() < TEXT_LENGTH) {
            for (int i = 2 + random.nextInt(9); i > 0; i--) {
                words.append((char) ('a' + random.nextInt(26)));
            }
            words.append(' ');
        }
        return words.toString();
    }

    private static byte[] bundled(String name) {
        try (InputStream in = TokenizerBenchmark.class.getResourceAsStream("/META-INF/remora/remora-tiny/" + name)) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static byte[] read(Path path) {
        try (InputStream in = Files.newInputStream(path)) {
            return path.toString().endsWith(".gz") ? new GZIPInputStream(in).readAllBytes() : in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
