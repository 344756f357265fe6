package dev.remora.core.tokenizer;

import java.nio.charset.StandardCharsets;

/** Decodes the alphabet of {@link ByteLevel}; a token with any other character stands for its own UTF-8. */
final class ByteLevelDecoder implements TokenDecoder {
    @Override
    public byte[] bytes(String token) {
        byte[] bytes = ByteLevel.read(token);
        return bytes != null ? bytes : token.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public Stream open() {
        Utf8Assembler assembler = new Utf8Assembler();
        return new Stream() {
            @Override
            public void push(String token, StringBuilder out) {
                for (byte b : bytes(token)) {
                    assembler.push(b, out);
                }
            }

            @Override
            public void finish(StringBuilder out) {
                assembler.flush(out);
            }
        };
    }
}
