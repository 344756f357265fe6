package dev.remora.models;

import dev.remora.core.tokenizer.StreamingDecoder;
import java.util.List;

/** From generated ids to text that is certain: whole characters, up to the first stop string. */
final class TextStream {
    private final StreamingDecoder decoder;
    private final StopStrings stops;

    /** @param decoder null: every id stands for no text */
    TextStream(StreamingDecoder decoder, List<String> stopStrings) {
        this.decoder = decoder;
        stops = new StopStrings(stopStrings);
    }

    String push(int id) {
        return decoder == null ? "" : stops.push(decoder.push(id));
    }

    boolean stopped() {
        return stops.found();
    }

    /** What was held back; nothing after a stop string. */
    String finish() {
        if (decoder == null || stops.found()) {
            return "";
        }
        return stops.push(decoder.flush()) + stops.flush();
    }
}
