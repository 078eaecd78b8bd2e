#include "adapters/systemd/unit_signals.hpp"

#include <string>

#include "adapters/systemd/names.hpp"

namespace left4me {
namespace {

/// `left4me-server@` in an object path: each byte that is no letter or digit as _ and two hex digits
/// (sd_bus_path_encode(3)).
constexpr const char* our_units = "/org/freedesktop/systemd1/unit/left4me_2dserver_40";

/// PID 1 sends signals about units only while somebody is subscribed, org.freedesktop.systemd1(5).
void subscribe(Bus& bus) {
    bus.call(
        {systemd::service, systemd::path, systemd::manager, "Subscribe"}, [](sdbus::MethodCall&) {},
        [](sdbus::MethodReply&, const BusError*) {});
}

}  // namespace

void watch_units(Bus& bus, const std::function<void()>& on_change) {
    const auto changed = [on_change](const std::string&) { on_change(); };
    // One connection may have 512 match rules on Debian's system bus: none a server.
    (void)bus.match(
        "type='signal',sender='org.freedesktop.systemd1',interface='org.freedesktop.DBus.Properties',"
        "member='PropertiesChanged',path_namespace='/org/freedesktop/systemd1/unit',"
        "arg0='org.freedesktop.systemd1.Unit'",
        [on_change](const std::string& path) {
            if (path.starts_with(our_units)) on_change();
        });
    for (const char* member : {"UnitFilesChanged", "Reloading"}) {
        (void)bus.match(std::string("type='signal',sender='org.freedesktop.systemd1',"
                                    "interface='org.freedesktop.systemd1.Manager',member='") +
                            member + "'",
                        changed);
    }
    for (const char* member : {"UnitNew", "UnitRemoved", "JobRemoved"}) {
        (void)bus.watch({systemd::service, systemd::path, systemd::manager, member},
                        [on_change, member](sdbus::Signal& signal) {
                            std::string unit;
                            if (std::string_view(member) == "JobRemoved") {
                                std::uint32_t id = 0;
                                sdbus::ObjectPath job;
                                signal >> id >> job;
                            }
                            signal >> unit;
                            if (unit.starts_with("left4me-server@")) on_change();
                        });
    }
    // A PID 1 that executed itself anew comes back under another connection and has forgotten its
    // subscribers.
    (void)bus.match(
        "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',"
        "member='NameOwnerChanged',arg0='org.freedesktop.systemd1'",
        [&bus, on_change](const std::string&) {
            subscribe(bus);
            on_change();
        });
    subscribe(bus);
}

}  // namespace left4me
