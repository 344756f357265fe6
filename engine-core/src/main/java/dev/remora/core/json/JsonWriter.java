package dev.remora.core.json;

import java.io.StringWriter;
import java.math.BigInteger;
import java.util.Map;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.PrettyPrinter;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.util.DefaultPrettyPrinter;

/** Writes plain Java values as compact JSON of one line: the inverse of {@link Json}. */
public final class JsonWriter {
    private static final JsonFactory FACTORY = new JsonFactory();

    private JsonWriter() {}

    /**
     * One JSON value without line breaks.
     *
     * @param value maps with string keys (in their order), lists and other iterables, {@code int[]}, {@code float[]},
     *     strings, numbers, booleans and null, nested at will. JSON knows no NaN and no infinity: they become null.
     * @throws IllegalArgumentException for a value of any other type
     */
    public static String write(Object value) {
        StringWriter text = new StringWriter();
        try (JsonGenerator generator = FACTORY.createGenerator(ObjectWriteContext.empty(), text)) {
            write(generator, value);
        }
        return text.toString();
    }

    /** As {@link #write(Object)}, over several lines, for files that people read. */
    public static String indented(Object value) {
        StringWriter text = new StringWriter();
        ObjectWriteContext context = new ObjectWriteContext.Base() {
            @Override
            public PrettyPrinter getPrettyPrinter() {
                return new DefaultPrettyPrinter();
            }
        };
        try (JsonGenerator generator = FACTORY.createGenerator(context, text)) {
            write(generator, value);
        }
        return text.toString();
    }

    private static void write(JsonGenerator generator, Object value) {
        switch (value) {
            case null -> generator.writeNull();
            case String s -> generator.writeString(s);
            case Boolean b -> generator.writeBoolean(b);
            case Integer i -> generator.writeNumber(i);
            case Long l -> generator.writeNumber(l);
            case BigInteger i -> generator.writeNumber(i);
            case Float f when !Float.isFinite(f) -> generator.writeNull();
            case Float f -> generator.writeNumber(f);
            case Double d when !Double.isFinite(d) -> generator.writeNull();
            case Double d -> generator.writeNumber(d);
            case int[] ids -> {
                generator.writeStartArray();
                for (int id : ids) {
                    generator.writeNumber(id);
                }
                generator.writeEndArray();
            }
            case float[] numbers -> {
                generator.writeStartArray();
                for (float number : numbers) {
                    write(generator, number);
                }
                generator.writeEndArray();
            }
            case Iterable<?> items -> {
                generator.writeStartArray();
                for (Object item : items) {
                    write(generator, item);
                }
                generator.writeEndArray();
            }
            case Map<?, ?> map -> {
                generator.writeStartObject();
                map.forEach((key, item) -> {
                    generator.writeName((String) key);
                    write(generator, item);
                });
                generator.writeEndObject();
            }
            default -> throw new IllegalArgumentException("no JSON form for " + value.getClass());
        }
    }
}
