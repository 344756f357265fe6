module com.example.app {
    requires dev.remora.models;
    requires dev.remora.tiny;
}
