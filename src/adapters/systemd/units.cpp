#include "adapters/systemd/units.hpp"

#include <fmt/format.h>

#include <utility>

#include "adapters/systemd/bus.hpp"
#include "adapters/systemd/enablement.hpp"
#include "adapters/systemd/jobs.hpp"
#include "adapters/systemd/names.hpp"
#include "adapters/systemd/unit_properties.hpp"
#include "adapters/systemd/unit_signals.hpp"
#include "specs/name.hpp"

namespace left4me {
namespace {

using Listed = sdbus::Struct<std::string, std::string, std::string, std::string, std::string, std::string,
                             sdbus::ObjectPath, std::uint32_t, std::string, sdbus::ObjectPath>;
using UnitMap = std::map<std::string, ObservedUnit>;
using DetailMap = std::map<std::string, UnitDetails>;

UnitMap observed(const std::vector<Listed>& listed, const std::map<std::string, Enablement>& enablement) {
    UnitMap units;
    for (const Listed& unit : listed) {
        const auto server = server_of(std::get<0>(unit));
        if (!server) continue;
        units[*server].active = parse_active_state(std::get<3>(unit));
        units[*server].sub = std::get<4>(unit);
    }
    for (const auto& [server, how] : enablement) units[server].enablement = how;
    return units;
}

UnitDetails detailed(const UnitProperties& unit) {
    UnitDetails details;
    details.unit.active = unit.active_state();
    details.unit.sub = unit.sub;
    if (details.unit.active == ActiveState::Failed) details.unit.result = unit.result;
    details.main_pid = unit.main_pid;
    details.restarts = unit.restarts;
    if (unit.state_change_usec != 0) {
        details.since =
            TimePoint(std::chrono::microseconds(static_cast<std::int64_t>(unit.state_change_usec)));
    }
    return details;
}

std::string unreachable(const BusError& error) {
    return fmt::format("cannot talk to systemd over the system bus: {} (is dbus.service running?)",
                       error.message);
}

class SystemdUnits : public Units {
  public:
    SystemdUnits(Paths paths, std::unique_ptr<Bus> bus) : paths_(std::move(paths)), bus_(std::move(bus)) {}

    std::expected<UnitMap, std::string> list() override;
    std::expected<DetailMap, std::string> details(std::span<const std::string> servers) override;
    void begin(Verb verb, std::span<const std::string> servers) override;
    Ended collect() override;
    Readiness readiness() const override;
    void subscribe(std::function<void()> on_change) override;
    bool idle() const override { return jobs_.idle() && given_up_.empty(); }
    std::uint64_t round_trips() const override {
        return earlier_round_trips_ + (bus_ ? bus_->round_trips() : 0);
    }

  private:
    std::expected<UnitMap, std::string> list_once();
    std::expected<void, BusError> reconnect();
    /// Lets go of a bus that is gone; the next request connects anew.
    std::unexpected<std::string> lose(const BusError& error);

    Paths paths_;
    std::unique_ptr<Bus> bus_;
    Jobs jobs_;
    Ended given_up_;
    std::function<void()> on_change_;
    std::uint64_t earlier_round_trips_ = 0;
};

std::expected<void, BusError> SystemdUnits::reconnect() {
    if (bus_) return {};
    auto opened = Bus::open();
    if (!opened) return std::unexpected(opened.error());
    bus_ = std::move(*opened);
    if (on_change_) {
        watch_units(*bus_, on_change_);
        on_change_();
    }
    return {};
}

std::unexpected<std::string> SystemdUnits::lose(const BusError& error) {
    if (error.name == disconnected_error) {
        for (auto& outcome : jobs_.give_up(error)) given_up_.push_back(std::move(outcome));
        earlier_round_trips_ += bus_->round_trips();
        bus_.reset();
        if (on_change_) on_change_();
    }
    return std::unexpected(unreachable(error));
}

std::expected<UnitMap, std::string> SystemdUnits::list() {
    auto units = list_once();
    // A bus that went away since the last request, and may be back: only trying tells.
    return units || bus_ ? std::move(units) : list_once();
}

std::expected<UnitMap, std::string> SystemdUnits::list_once() {
    if (auto connected = reconnect(); !connected) return std::unexpected(unreachable(connected.error()));
    std::vector<Listed> listed;
    std::optional<BusError> refused;
    bool answered = false;
    const Bus::Method method{systemd::service, systemd::path, systemd::manager, "ListUnitsByPatterns"};
    const auto write = [](sdbus::MethodCall& message) {
        message << std::vector<std::string>{} << std::vector<std::string>{server_unit("*")};
    };
    bus_->call(method, write, [&](sdbus::MethodReply& reply, const BusError* error) {
        answered = true;
        if (error != nullptr)
            refused = *error;
        else
            reply >> listed;
    });
    if (const auto done = bus_->round_trip([&] { return answered; }); !done) return lose(done.error());
    if (refused) return lose(*refused);

    UnitMap units = observed(listed, read_enablement(paths_));
    std::size_t unanswered = 0;
    for (auto& [server, unit] : units) {
        if (unit.active != ActiveState::Failed) continue;
        ++unanswered;
        ask_result(*bus_, server, [&to = unit.result, &unanswered](const std::string& result) {
            to = result;
            --unanswered;
        });
    }
    if (unanswered == 0) return units;
    if (const auto done = bus_->round_trip([&] { return unanswered == 0; }); !done) return lose(done.error());
    return units;
}

std::expected<DetailMap, std::string> SystemdUnits::details(std::span<const std::string> servers) {
    for (const std::string& server : servers) {
        if (!is_valid_name(server))
            return std::unexpected(fmt::format("\"{}\" is not a server's name", server));
    }
    if (auto connected = reconnect(); !connected) return std::unexpected(unreachable(connected.error()));
    DetailMap details;
    std::optional<BusError> refused;
    for (const std::string& server : servers) details.try_emplace(server);
    std::size_t unanswered = details.size();
    for (auto& entry : details) {
        ask_properties(
            *bus_, entry.first,
            [&to = entry.second, &refused, &unanswered](const UnitProperties* told, const BusError* error) {
                --unanswered;
                if (told != nullptr)
                    to = detailed(*told);
                else
                    refused = *error;
            });
    }
    if (details.empty()) return details;
    if (const auto done = bus_->round_trip([&] { return unanswered == 0; }); !done) return lose(done.error());
    if (refused) return lose(*refused);
    for (const auto& [server, how] : read_enablement(paths_)) {
        if (const auto found = details.find(server); found != details.end())
            found->second.unit.enablement = how;
    }
    return details;
}

void SystemdUnits::begin(Verb verb, std::span<const std::string> servers) {
    if (auto connected = reconnect(); !connected) {
        for (const std::string& server : servers) {
            given_up_.push_back({verb,
                                 {.server = server,
                                  .done = false,
                                  .reason = "Disconnected",
                                  .message = unreachable(connected.error())}});
        }
        return;
    }
    jobs_.begin(*bus_, verb, servers);
}

Units::Ended SystemdUnits::collect() {
    if (!given_up_.empty() || !bus_) return std::exchange(given_up_, {});
    auto finished = jobs_.collect(*bus_);
    if (finished) return std::move(*finished);
    (void)lose(finished.error());
    return std::exchange(given_up_, {});
}

Readiness SystemdUnits::readiness() const {
    if (!given_up_.empty()) return {.fd = -1, .events = 0, .timeout = std::chrono::milliseconds(0)};
    if (!bus_) return {};
    Readiness readiness = bus_->readiness();
    if (const auto patience = jobs_.patience()) {
        readiness.timeout = std::min(readiness.timeout.value_or(*patience), *patience);
    }
    return readiness;
}

void SystemdUnits::subscribe(std::function<void()> on_change) {
    on_change_ = std::move(on_change);
    if (bus_) watch_units(*bus_, on_change_);
}

}  // namespace

std::expected<UnitDetails, std::string> Units::details(const std::string& server) {
    auto of_all = details(std::span(&server, 1));
    if (!of_all) return std::unexpected(of_all.error());
    return std::move(of_all->at(server));
}

Units::Ended Units::wait() {
    for (;;) {
        Ended ended = collect();
        if (!ended.empty() || idle()) return ended;
        wait_for_any({readiness()});
    }
}

std::expected<std::unique_ptr<Units>, std::string> Units::connect(const Paths& paths) {
    auto bus = Bus::open();
    if (!bus) return std::unexpected(unreachable(bus.error()));
    return std::make_unique<SystemdUnits>(paths, std::move(*bus));
}

}  // namespace left4me
