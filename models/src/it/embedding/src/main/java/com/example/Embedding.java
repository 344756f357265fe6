package com.example;

import dev.remora.models.GenerationOptions;
import dev.remora.models.Llm;
import dev.remora.models.Session;

/** What the embedding program does with Remora. */
final class Embedding {
    static String run() {
        try (Llm llm = Llm.bundled();
                Session session = llm.session()) {
            return session.generate("Once upon a time", GenerationOptions.greedy().withMaxTokens(16))
                    .text();
        }
    }
}
