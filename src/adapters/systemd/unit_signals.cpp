#include "adapters/systemd/unit_signals.hpp"

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "adapters/systemd/names.hpp"
#include "adapters/systemd/unit_names.hpp"

namespace left4me {

void subscribe(Bus& bus) {
    bus.call(
        {systemd::service, systemd::path, systemd::manager, "Subscribe"}, [](sdbus::MethodCall&) {},
        [](sdbus::MethodReply&, const BusError*) {});
}

void watch_units(Bus& bus, const std::function<void(Stale stale, const std::string& path)>& on_change) {
    // A connection may have 512 match rules on Debian's system bus, so there is none per server.
    (void)bus.match(fmt::format("type='signal',sender='{}',interface='{}',member='PropertiesChanged',"
                                "path_namespace='{}',arg0='{}'",
                                systemd::service, systemd::interface::properties, systemd::units,
                                systemd::interface::unit),
                    [on_change, servers = unit_path(server_unit_prefix),
                     builds = unit_path(build_unit_prefix)](const std::string& path) {
                        if (path.starts_with(servers) || path.starts_with(builds))
                            on_change(Stale::Unit, path);
                    });
    (void)bus.watch({systemd::service, systemd::path, systemd::manager, "UnitFilesChanged"},
                    [on_change](sdbus::Signal&) { on_change(Stale::UnitFiles, {}); });
    (void)bus.watch({systemd::service, systemd::path, systemd::manager, "Reloading"},
                    [on_change](sdbus::Signal& signal) {
                        bool begins = false;
                        signal >> begins;
                        // While it reloads, no unit changes, and PID 1 answers nobody.
                        on_change(begins ? Stale::UnitFiles : Stale::States, {});
                    });
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
                            if (server_of(unit) || overlay_of(unit)) on_change(Stale::Unit, unit_path(unit));
                        });
    }
    // A re-executed PID 1 returns under another connection and has forgotten its subscribers.
    (void)bus.match(
        fmt::format("type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',"
                    "member='NameOwnerChanged',arg0='{}'",
                    systemd::service),
        [&bus, on_change](const std::string&) {
            subscribe(bus);
            on_change(Stale::Everything, {});
        });
    subscribe(bus);
}

}  // namespace left4me
