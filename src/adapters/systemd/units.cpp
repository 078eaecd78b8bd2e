#include "adapters/systemd/units.hpp"

#include <fmt/format.h>

#include <utility>

#include "adapters/systemd/bus.hpp"
#include "adapters/systemd/enablement.hpp"
#include "adapters/systemd/jobs.hpp"
#include "adapters/systemd/names.hpp"
#include "adapters/systemd/outcome.hpp"
#include "adapters/systemd/unit_names.hpp"
#include "adapters/systemd/unit_properties.hpp"
#include "adapters/systemd/unit_signals.hpp"
#include "specs/name.hpp"

namespace left4me {
namespace {

using Listed = sdbus::Struct<std::string, std::string, std::string, std::string, std::string, std::string,
                             sdbus::ObjectPath, std::uint32_t, std::string, sdbus::ObjectPath>;
using UnitMap = std::map<std::string, ObservedUnit>;
using DetailMap = std::map<std::string, UnitDetails>;

/// What PID 1 has said is taken as still true for this long, while it sends signals of what changes: a little
/// less than the 30 s after which l4d2d observes in any case, which makes good a signal that was lost.
constexpr std::chrono::seconds remembered{29};

UnitMap states_of(const std::vector<Listed>& listed) {
    UnitMap units;
    for (const Listed& unit : listed) {
        const auto server = server_of(std::get<0>(unit));
        if (!server) continue;
        units[*server].active = parse_active_state(std::get<3>(unit));
        units[*server].sub = std::get<4>(unit);
    }
    return units;
}

/// Units that are not loaded are known by their links alone.
void add_enablement(const Paths& paths, UnitMap& units) {
    for (const auto& [server, how] : read_enablement(paths)) units[server].enablement = how;
}

std::set<std::string> builds_under_way(const std::vector<Listed>& listed) {
    std::set<std::string> overlays;
    for (const Listed& unit : listed) {
        const auto overlay = overlay_of(std::get<0>(unit));
        const ActiveState state = parse_active_state(std::get<3>(unit));
        const bool has_job = std::get<7>(unit) != 0;
        const bool ended = state == ActiveState::Inactive || state == ActiveState::Failed;
        if (overlay && (has_job || !ended)) overlays.insert(*overlay);
    }
    return overlays;
}

std::string unreachable(const BusError& error) {
    return fmt::format("cannot talk to systemd over the system bus: {} (is dbus.service running?)",
                       error.message);
}

/// One query of PID 1 about all units, and its result.
struct Listing {
    std::vector<Listed> units;
    std::optional<BusError> refused;
    bool answered = false;
};

std::optional<TimePoint> time_of(std::uint64_t usec) {
    if (usec == 0) return std::nullopt;
    return TimePoint(std::chrono::microseconds(static_cast<std::int64_t>(usec)));
}

void note(UnitDetails& details, const UnitProcess& process) {
    details.main_pid = process.main_pid;
    details.restarts = process.restarts;
    details.since = time_of(process.state_change_usec);
    details.invocation.clear();
    for (const std::uint8_t byte : process.invocation) details.invocation += fmt::format("{:02x}", byte);
}

class SystemdUnits : public Units {
  public:
    SystemdUnits(Paths paths, std::unique_ptr<Bus> bus) : paths_(std::move(paths)), bus_(std::move(bus)) {}

    std::expected<ListedUnits, std::string> list() override;
    std::expected<DetailMap, std::string> details(std::span<const std::string> servers) override;
    void begin(Verb verb, std::span<const std::string> servers) override {
        begin(verb, servers, method_of(verb));
    }
    void begin_scripts(std::span<const std::string> overlays) override {
        begin(Verb::Build, overlays, script_method);
    }
    void begin_tuning(const Tuning& tuning) override;
    std::expected<std::optional<TimePoint>, std::string> unit_files_read() override;
    std::expected<std::map<std::string, UnitLimits>, std::string> limits(
        std::span<const std::string> units) override;
    Completions poll_completions() override;
    Readiness readiness() const override;
    void subscribe(std::function<void()> on_change) override;
    bool idle() const override { return jobs_.idle() && given_up_.empty(); }
    std::uint64_t round_trips() const override {
        return earlier_round_trips_ + (bus_ ? bus_->round_trips() : 0);
    }

  private:
    void begin(Verb verb, std::span<const std::string> servers, const char* method);
    /// False: there is no bus, and that has been told of them.
    bool is_connected_for(Verb verb, std::span<const std::string> subjects);
    std::expected<ListedUnits, std::string> list_once();
    std::expected<void, std::string> ask_states();
    bool knows_states() const;
    void ask_list(Listing& listing, const std::vector<std::string>& patterns);
    /// The Result of those that failed, and since when the others are active.
    enum class Since { Ask, IfKnown };
    std::expected<void, std::string> explain(UnitMap& units, Since since);
    void watch();
    void forget(Stale stale, const std::string& path);
    std::expected<void, BusError> reconnect();
    /// Drops a broken bus connection; the next request reconnects.
    std::unexpected<std::string> lose(const BusError& error);

    Paths paths_;
    std::unique_ptr<Bus> bus_;
    Jobs jobs_;
    Completions given_up_;
    std::function<void()> on_change_;
    /// What PID 1 said last, without the enablement. Remembered only while signals tell of changes.
    ListedUnits states_;
    /// When it was asked. nullopt: something has changed since.
    std::optional<std::chrono::steady_clock::time_point> states_at_;
    /// Of active units, by their paths: what need not be asked again before a signal tells of a change.
    std::map<std::string, UnitActivation> activations_;
    std::optional<TimePoint> unit_files_read_;  ///< nullopt: perhaps since it was asked
    unsigned connections_ = 0;                  ///< so far
    std::uint64_t earlier_round_trips_ = 0;
};

std::expected<void, BusError> SystemdUnits::reconnect() {
    if (bus_) return {};
    auto opened = Bus::open();
    if (!opened) return std::unexpected(opened.error());
    bus_ = std::move(*opened);
    ++connections_;
    if (on_change_) {
        watch();
        on_change_();
    }
    return {};
}

std::unexpected<std::string> SystemdUnits::lose(const BusError& error) {
    if (error.name == disconnected_error) {
        for (auto& outcome : jobs_.give_up(error)) given_up_.push_back(std::move(outcome));
        states_at_.reset();
        unit_files_read_.reset();
        activations_.clear();
        earlier_round_trips_ += bus_->round_trips();
        bus_.reset();
        if (on_change_) on_change_();
    }
    return std::unexpected(unreachable(error));
}

std::expected<ListedUnits, std::string> SystemdUnits::list() {
    auto units = list_once();
    // The bus was lost since the last request and may be back: only trying shows.
    return units || bus_ ? std::move(units) : list_once();
}

std::expected<ListedUnits, std::string> SystemdUnits::list_once() {
    if (auto connected = reconnect(); !connected) return std::unexpected(unreachable(connected.error()));
    // Signals that have arrived meanwhile count.
    if (const auto processed = bus_->process(); !processed) return lose(processed.error());
    if (!knows_states()) {
        if (auto asked = ask_states(); !asked) return std::unexpected(asked.error());
    }
    ListedUnits units = states_;
    add_enablement(paths_, units.servers);
    return units;
}

bool SystemdUnits::knows_states() const {
    return on_change_ && states_at_ && std::chrono::steady_clock::now() - *states_at_ < remembered;
}

std::expected<void, std::string> SystemdUnits::ask_states() {
    Listing listing;
    // Reset by a signal that arrives while PID 1 is asked: what it has said by then may be older.
    states_at_ = std::chrono::steady_clock::now();
    ask_list(listing, {server_unit("*"), build_unit("*")});
    if (const auto done = bus_->round_trip([&] { return listing.answered; }); !done)
        return lose(done.error());
    if (listing.refused) {
        states_at_.reset();
        return lose(*listing.refused);
    }
    states_ = {.servers = states_of(listing.units), .builds = builds_under_way(listing.units)};
    auto explained = explain(states_.servers, Since::Ask);
    if (!explained) states_at_.reset();
    return explained;
}

void SystemdUnits::ask_list(Listing& listing, const std::vector<std::string>& patterns) {
    const Bus::Method method{systemd::service, systemd::path, systemd::manager, "ListUnitsByPatterns"};
    const auto write = [&patterns](sdbus::MethodCall& message) {
        message << std::vector<std::string>{} << patterns;
    };
    bus_->call(method, write, [&listing](sdbus::MethodReply& reply, const BusError* error) {
        listing.answered = true;
        if (error != nullptr)
            listing.refused = *error;
        else
            reply >> listing.units;
    });
}

std::expected<void, std::string> SystemdUnits::explain(UnitMap& units, Since since) {
    if (!on_change_) activations_.clear();  // nobody tells of changes
    std::size_t unanswered = 0;
    for (auto& [server, unit] : units) {
        if (unit.active == ActiveState::Failed) {
            ++unanswered;
            ask_result(*bus_, server, [&to = unit, &unanswered](const std::string& result) {
                to.result = result;
                to.failure = reason_of_result(result);
                --unanswered;
            });
        }
        if (unit.active != ActiveState::Active || since == Since::IfKnown) continue;
        std::string path = unit_path(server_unit(server));
        if (activations_.contains(path)) continue;
        ++unanswered;
        ask_activation(*bus_, server, [this, path, &unanswered](const UnitActivation& activation) {
            activations_[path] = activation;
            --unanswered;
        });
    }
    if (unanswered > 0) {
        if (const auto done = bus_->round_trip([&] { return unanswered == 0; }); !done)
            return lose(done.error());
    }
    for (auto& [server, unit] : units) {
        const auto found = activations_.find(unit_path(server_unit(server)));
        if (unit.active != ActiveState::Active || found == activations_.end()) continue;
        unit.active_since = time_of(found->second.active_enter_usec);
        unit.restarts = found->second.restarts;
    }
    return {};
}

std::expected<DetailMap, std::string> SystemdUnits::details(std::span<const std::string> servers) {
    DetailMap details;
    for (const std::string& server : servers) {
        if (!is_valid_name(server))
            return std::unexpected(fmt::format("\"{}\" is not a server's name", server));
        details.try_emplace(server);
    }
    if (details.empty()) return details;
    if (auto connected = reconnect(); !connected) return std::unexpected(unreachable(connected.error()));
    Listing listing;
    std::size_t unanswered = details.size();
    ask_list(listing, {server_unit("*")});
    for (auto& entry : details) {
        const auto answered = [&to = entry.second, &listing, &unanswered](const UnitProcess* process,
                                                                          const BusError* error) {
            --unanswered;
            if (process != nullptr)
                note(to, *process);
            else
                listing.refused = *error;
        };
        ask_process(*bus_, entry.first, answered);
    }
    const auto all = [&] { return listing.answered && unanswered == 0; };
    if (const auto done = bus_->round_trip(all); !done) return lose(done.error());
    if (listing.refused) return lose(*listing.refused);

    UnitMap units = states_of(listing.units);
    add_enablement(paths_, units);
    std::erase_if(units, [&details](const auto& unit) { return !details.contains(unit.first); });
    if (auto explained = explain(units, Since::IfKnown); !explained)
        return std::unexpected(explained.error());
    for (auto& [server, detail] : details) {
        if (const auto unit = units.find(server); unit != units.end()) detail.unit = unit->second;
        if (detail.unit.sub.empty()) detail.unit.sub = "dead";  // it is not loaded
    }
    return details;
}

bool SystemdUnits::is_connected_for(Verb verb, std::span<const std::string> subjects) {
    const auto connected = reconnect();
    if (connected) return true;
    for (const std::string& subject : subjects) {
        given_up_.push_back({verb,
                             {.server = subject,
                              .done = false,
                              .reason = FailureKind::Disconnected,
                              .message = unreachable(connected.error())}});
    }
    return false;
}

void SystemdUnits::begin(Verb verb, std::span<const std::string> servers, const char* method) {
    if (!is_connected_for(verb, servers)) return;
    states_at_.reset();  // no signal tells that a build has a job
    jobs_.begin(*bus_, verb, servers, method);
}

void SystemdUnits::begin_tuning(const Tuning& tuning) {
    const std::string subject = host_name;
    if (is_connected_for(Verb::Tune, std::span(&subject, 1))) jobs_.begin_tuning(*bus_, tuning);
}

std::expected<std::optional<TimePoint>, std::string> SystemdUnits::unit_files_read() {
    if (auto connected = reconnect(); !connected) return std::unexpected(unreachable(connected.error()));
    if (const auto processed = bus_->process(); !processed) return lose(processed.error());
    if (on_change_ && unit_files_read_) return unit_files_read_;
    bool answered = false;
    ask_unit_files_read(*bus_, [&](std::uint64_t usec) {
        unit_files_read_ = time_of(usec);
        answered = true;
    });
    if (const auto done = bus_->round_trip([&] { return answered; }); !done) return lose(done.error());
    return std::exchange(unit_files_read_, on_change_ ? unit_files_read_ : std::nullopt);
}

std::expected<std::map<std::string, UnitLimits>, std::string> SystemdUnits::limits(
    std::span<const std::string> units) {
    std::map<std::string, UnitLimits> limits;
    if (units.empty()) return limits;
    if (auto connected = reconnect(); !connected) return std::unexpected(unreachable(connected.error()));
    std::size_t unanswered = units.size();
    for (const std::string& unit : units) {
        ask_limits(*bus_, unit, [&to = limits[unit], &unanswered](const UnitLimits& got) {
            to = got;
            --unanswered;
        });
    }
    if (const auto done = bus_->round_trip([&] { return unanswered == 0; }); !done) return lose(done.error());
    return limits;
}

Units::Completions SystemdUnits::poll_completions() {
    if (!given_up_.empty() || !bus_) return std::exchange(given_up_, {});
    auto finished = jobs_.poll_completions(*bus_);
    if (finished) {
        if (!finished->empty()) states_at_.reset();
        return std::move(*finished);
    }
    (void)lose(finished.error());
    return std::exchange(given_up_, {});
}

Readiness SystemdUnits::readiness() const {
    if (!given_up_.empty()) return {.fd = -1, .events = 0, .timeout = std::chrono::milliseconds(0)};
    if (!bus_) return {};
    Readiness readiness = bus_->readiness();
    readiness.instance = connections_;
    if (const auto timeout = jobs_.timeout()) {
        readiness.timeout = std::min(readiness.timeout.value_or(*timeout), *timeout);
    }
    return readiness;
}

void SystemdUnits::subscribe(std::function<void()> on_change) {
    on_change_ = std::move(on_change);
    if (bus_) watch();
}

void SystemdUnits::watch() {
    states_at_.reset();
    unit_files_read_.reset();
    activations_.clear();
    watch_units(*bus_, [this](Stale stale, const std::string& path) {
        forget(stale, path);
        on_change_();
    });
}

void SystemdUnits::forget(Stale stale, const std::string& path) {
    switch (stale) {
        case Stale::UnitFiles:
            return;
        case Stale::Everything:
            activations_.clear();
            unit_files_read_.reset();
            break;
        case Stale::Unit:
            activations_.erase(path);
            break;
        case Stale::States:
            unit_files_read_.reset();
            break;
    }
    states_at_.reset();
}

}  // namespace

std::expected<UnitDetails, std::string> Units::details(const std::string& server) {
    auto of_all = details(std::span(&server, 1));
    if (!of_all) return std::unexpected(of_all.error());
    return std::move(of_all->at(server));
}

Units::Completions Units::wait() {
    for (;;) {
        Completions ended = poll_completions();
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
