package com.example;

import dev.remora.core.json.Json;
import java.io.InputStream;

/** What the embedding program does with Remora. */
final class Embedding {
    static String run() throws Exception {
        // Parses the configuration of the bundled model, read from its jar.
        String config = "META-INF/remora/remora-tiny/config.json";
        try (InputStream in = Embedding.class.getClassLoader().getResourceAsStream(config)) {
            if (in == null) {
                throw new AssertionError("the bundled model is not visible: " + config);
            }
            return Json.object(in.readAllBytes(), config).string("model_type");
        }
    }
}
