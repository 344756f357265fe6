package dev.remora.moe;

/** Sees every decision of the router. Called by the engine thread between routing and the experts. */
@FunctionalInterface
public interface RoutingListener {
    /**
     * Called once for each sparse layer and step.
     *
     * @param routing valid during the call
     */
    void routed(int layer, Routing routing);
}
