package dev.remora.models;

import dev.remora.core.CheckpointException;
import dev.remora.core.RemoraException;
import dev.remora.core.checkpoint.CheckpointSource;
import dev.remora.core.template.TemplateException;
import dev.remora.core.tokenizer.Tokenizer;
import dev.remora.models.runtime.BundledModel;
import dev.remora.moe.policy.RouterPolicy;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A loaded model. Any number of threads may share one; each opens a {@link Session} of its own, and the steps of all
 * sessions run in turn.
 *
 * <pre>{@code
 * try (Llm llm = Llm.load(Path.of("DeepSeek-V2-Lite-Chat"));
 *         Session session = llm.session()) {
 *     Conversation question = Conversation.of(ChatMessage.user("Why is the sky blue?"));
 *     for (GenerationEvent event : session.chat(question, llm.generationDefaults())) {
 *         if (event instanceof GenerationEvent.Token token) {
 *             show(token.text());
 *         }
 *     }
 * }
 * }</pre>
 */
public final class Llm implements AutoCloseable {
    private final StepRunner runner;
    private final ModelInfo info;
    private final TextModel text;
    private final GenerationConfig generationConfig;
    private final AutoCloseable resources;
    private final Gate gate = new Gate();
    private final Set<Session> sessions = ConcurrentHashMap.newKeySet();
    private boolean closed;

    /** @param resources closed after the last step: threads, caches, mapped files */
    Llm(StepRunner runner, ModelInfo info, TextModel text, GenerationConfig generationConfig, AutoCloseable resources) {
        this.runner = runner;
        this.info = info;
        this.text = text;
        this.generationConfig = generationConfig;
        this.resources = resources;
    }

    /** As {@link #load(Path, LoadOptions)}, with {@link LoadOptions#defaults()}. */
    public static Llm load(Path folder) {
        return load(folder, LoadOptions.defaults());
    }

    /**
     * Loads a checkpoint as Hugging Face publishes it: config.json, safetensors, and the files of the tokenizer.
     *
     * @throws CheckpointException if a file is missing, broken or contradicts another
     * @throws dev.remora.core.UnsupportedModelException if the checkpoint asks for something that this version lacks
     * @throws dev.remora.core.InsufficientMemoryException if the machine has too little memory for it
     */
    public static Llm load(Path folder, LoadOptions options) {
        return ModelLoader.load(CheckpointSource.ofFolder(folder), options);
    }

    /**
     * Loads a checkpoint that lies anywhere, or is made: see {@link CheckpointSource}.
     *
     * @throws CheckpointException if a file is missing, broken or contradicts another
     * @throws dev.remora.core.UnsupportedModelException if the checkpoint asks for something that this version lacks
     * @throws dev.remora.core.InsufficientMemoryException if the machine has too little memory for it
     */
    public static Llm load(CheckpointSource source, LoadOptions options) {
        return ModelLoader.load(source, options);
    }

    /** As {@link #bundled(LoadOptions)}, with {@link LoadOptions#defaults()}. */
    public static Llm bundled() {
        return bundled(LoadOptions.defaults());
    }

    /**
     * Loads the small model in the artifact {@code remora-tiny}.
     *
     * @throws CheckpointException if that artifact is not on the class path or module path
     */
    public static Llm bundled(LoadOptions options) {
        return ModelLoader.load(BundledModel.source(), options);
    }

    /** A session of {@link ModelInfo#contextLength()} tokens. */
    public Session session() {
        return session(info.contextLength());
    }

    /**
     * Opens a session.
     *
     * @param contextLength tokens that it can hold, prompts and answers together
     * @throws IllegalArgumentException if this is not in 1 to {@link ModelInfo#maxContextLength()}
     * @throws dev.remora.core.InsufficientMemoryException if there is no room for its cache
     */
    public Session session(int contextLength) {
        if (contextLength < 1 || contextLength > info.maxContextLength()) {
            throw new IllegalArgumentException("contextLength: expected 1 to " + info.maxContextLength()
                    + ", for which the model was made, found " + contextLength);
        }
        gate.enter();
        try {
            Session session = new Session(this, new Sequence(runner, gate, contextLength), gate, runner);
            sessions.add(session);
            return session;
        } finally {
            gate.leave();
        }
    }

    /** What was loaded. */
    public ModelInfo info() {
        return info;
    }

    /** How far the router may depart from the model's own. */
    public RouterPolicy policy() {
        return runner.policy();
    }

    /**
     * Sets how far the router may depart from the model's own, for all sessions, from the next step on. From any thread.
     *
     * @throws IllegalArgumentException if the model has no routed experts, or cannot do what the policy asks for
     */
    public void policy(RouterPolicy policy) {
        runner.policy(policy);
    }

    /** True if the checkpoint has a tokenizer; without one, work with token ids. */
    public boolean hasTokenizer() {
        return text.hasTokenizer();
    }

    /**
     * The tokenizer.
     *
     * @throws CheckpointException if the checkpoint has none; the message names the missing files
     */
    public Tokenizer tokenizer() {
        return text.tokenizer();
    }

    /** True if the checkpoint has a chat template. */
    public boolean hasChatTemplate() {
        return text.hasChatTemplate();
    }

    /**
     * The text of a conversation as the model was trained on it.
     *
     * @throws CheckpointException if the checkpoint has no chat template
     * @throws TemplateException if the template fails, or refuses the conversation
     */
    public String renderChat(Conversation conversation) {
        return text.renderChat(conversation);
    }

    /** What generation_config.json recommends: greedy unless it says {@code do_sample}; no limit but the context. */
    public GenerationOptions generationDefaults() {
        return GenerationOptions.greedy().withSampling(generationConfig.sampling());
    }

    /**
     * Waits for the steps that are running, then ends all sessions and frees the model. What sessions do afterwards
     * fails with {@link IllegalStateException}. Closing twice has no effect.
     */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        gate.close();
        sessions.forEach(Session::release);
        sessions.clear();
        try {
            resources.close();
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new RemoraException(info.source() + ": the model could not be released: " + e.getMessage(), e);
        }
    }

    TextModel text() {
        return text;
    }

    StepRunner runner() {
        return runner;
    }

    void forget(Session session) {
        sessions.remove(session);
    }
}
