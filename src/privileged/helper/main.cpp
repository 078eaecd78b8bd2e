#include <csignal>
#include <cstdio>
#include <cstring>

#include "privileged/helper/service.hpp"

namespace {

int run(sd_bus* bus, sd_event* event) {
    left4me::helper::Service service(bus, event);
    const auto on_terminate = [](sd_event_source*, const signalfd_siginfo*, void* self) {
        static_cast<left4me::helper::Service*>(self)->close();
        return 0;
    };
    int r = sd_event_add_signal(event, nullptr, SIGTERM, on_terminate, &service);
    if (r >= 0) r = sd_bus_set_exit_on_disconnect(bus, 1);
    if (r >= 0) r = sd_bus_attach_event(bus, event, SD_EVENT_PRIORITY_NORMAL);
    if (r >= 0) r = service.begin();
    if (r >= 0) r = sd_event_loop(event);
    return r;
}

}  // namespace

int main() {
    sigset_t handled;
    sigemptyset(&handled);
    sigaddset(&handled, SIGTERM);
    sigprocmask(SIG_BLOCK, &handled, nullptr);

    sd_event* event = nullptr;
    sd_bus* bus = nullptr;
    int r = sd_event_default(&event);
    if (r >= 0) r = sd_bus_open_system(&bus);
    if (r >= 0) r = run(bus, event);
    sd_bus_flush_close_unref(bus);
    sd_event_unref(event);
    if (r < 0) std::fprintf(stderr, "left4me-helper: %s\n", std::strerror(-r));
    return r < 0 ? 1 : r;
}
