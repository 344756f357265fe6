module com.example.app {
    requires dev.remora.core;
    requires dev.remora.tiny;
}
