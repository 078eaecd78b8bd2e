#include <fmt/format.h>

#include <algorithm>

#include "l4d2ctl/acting.hpp"
#include "l4d2ctl/kinds.hpp"
#include "l4d2ctl/verbs.hpp"
#include "operations/objects.hpp"
#include "operations/pins.hpp"
#include "operations/reconcile.hpp"
#include "specs/text.hpp"

namespace left4me::ctl {

namespace {

using operations::PinComparison;
using operations::PinOwner;
using operations::PinsOf;
using Pins = std::vector<PinComparison>;

struct Options {
    std::vector<std::string> overlays;
    bool check = false;
    bool built = false;
    std::string output = "table";
    std::shared_ptr<Timeout> timeout = std::make_shared<Timeout>();
};

/// KIND/NAME…, or NAME…, which are then of this kind; nullopt: of either kind.
Result<std::vector<PinOwner>> parse_owners(const std::vector<std::string>& words, std::optional<Kind> kind,
                                           const char* usage) {
    std::vector<PinOwner> owners;
    for (const std::string& word : words) {
        const bool names_kind = word.contains('/');
        const auto owner = parse_artifact_owner({names_kind ? word : "overlay/" + word}, usage);
        if (!owner) return std::unexpected(owner.error());
        const std::optional<Kind> meant = names_kind ? owner->kind : kind;
        if (kind && meant != kind) return fail(Exit::Usage, usage);
        owners.push_back({meant, owner->name});
    }
    return owners;
}

std::string owner(const PinComparison& pin) { return to_string(Subject{pin.kind, pin.overlay}); }

std::string or_nothing(const std::string& version) { return version.empty() ? "-" : printable_line(version); }

/// What moved, an input a line.
std::string moved_table(const Pins& pins, const Terminal& terminal) {
    std::vector<std::vector<Cell>> rows{heading({"OVERLAY", "INPUT", "BEFORE", "NOW"})};
    for (const PinComparison& pin : pins) {
        if (!pin.now || !pin.before()) continue;
        for (const PinChange& change : changes(pin.before(), *pin.now))
            rows.push_back({{pin.overlay, Paint::Bold},
                            {printable_line(change.input)},
                            {or_nothing(change.before)},
                            {or_nothing(change.after), Paint::Yellow}});
    }
    return rows.size() == 1 ? std::string() : table(rows, terminal);
}

bool any_failed(const Pins& pins) {
    return std::any_of(pins.begin(), pins.end(), [](const PinComparison& pin) { return !pin.now; });
}

/// Names the overlays whose upstream could not be determined.
void tell_failures(const Pins& pins) {
    for (const PinComparison& pin : pins) {
        if (!pin.now) print_error(fmt::format("{}: {}\n", owner(pin), printable(pin.error)));
    }
}

Result<Exit> check(const Session& session, const Options& options, const Pins& pins) {
    if (options.output == "json") {
        print(operations::json_text({{"overlays", operations::pins_json(pins)}}));
    } else {
        print(moved_table(pins, session.out));
        for (const PinComparison& pin : pins) {
            if (pin.now && !pin.before())
                print(fmt::format("{} is neither pinned nor built: upstream is {}\n", owner(pin),
                                  printable(to_text(*pin.now))));
        }
    }
    tell_failures(pins);
    const bool moved =
        std::any_of(pins.begin(), pins.end(), [](const PinComparison& pin) { return pin.has_moved(); });
    return any_failed(pins) ? Exit::Refused : moved ? Exit::Differences : Exit::Done;
}

void tell_pinned(const Session& session, const Pins& pins, const Proposal& written) {
    print(moved_table(pins, session.out));
    for (const operations::Effect& effect : written.effects) {
        const auto pin = std::find_if(pins.begin(), pins.end(), [&](const PinComparison& one) {
            return one.overlay == effect.object.name;
        });
        const bool same = effect.change == operations::Change::Unchanged;
        print(fmt::format("{} {}: {}\n", owner(*pin),
                          session.out.paint(same ? Paint::Dim : Paint::Bold, same          ? "unchanged"
                                                                             : pin->pinned ? "pinned anew"
                                                                                           : "pinned"),
                          printable(to_text(*pin->now))));
    }
    if (pins.empty()) print("no overlay has a source that moves\n");
    (void)std::fflush(stdout);
}

Result<Exit> lock(Session& session, const Options& options) {
    if (options.check && options.built) return fail(Exit::Usage, "lock: either --check or --built, not both");
    const auto owners =
        parse_owners(options.overlays, std::nullopt, "lock what? NAME, overlay/NAME or installation/NAME");
    if (!owners) return std::unexpected(owners.error());
    if (auto entered = drop_privileges_and_configure(session, Access::Act); !entered)
        return std::unexpected(entered.error());
    const auto pins =
        operations::compare_pins(session, *owners, options.built ? PinsOf::Artifacts : PinsOf::Upstream);
    if (!pins) return std::unexpected(pins.error());
    if (options.check) return check(session, options, *pins);
    const auto written =
        operations::commit(session, [&] { return operations::propose_pins(session, *pins); });
    if (!written) return std::unexpected(written.error());
    const bool json = options.output == "json";
    if (json) {
        print(operations::json_text({{"revision", written->revision},
                                     {"written", !written->change.empty()},
                                     {"overlays", operations::pins_json(*pins)}}));
        (void)std::fflush(stdout);
    } else {
        tell_pinned(session, *pins, *written);
    }
    tell_failures(*pins);
    if (session.unattended) {
        // The pass that has begun this waits for its end.
        (void)operations::trigger(session);
        return any_failed(*pins) ? Exit::Refused : Exit::Done;
    }
    // What is printed is one document.
    const auto followed = json ? follow_quietly(session) : reconcile(session, *options.timeout);
    if (!followed || *followed != Exit::Done) return followed;
    return any_failed(*pins) ? Exit::Refused : Exit::Done;
}

/// The newest build, if the manifest leaves it to left4me which one it is.
Result<void> pin_newest(Session& session, const std::vector<PinOwner>& installations) {
    const auto pins = operations::compare_pins(session, installations, PinsOf::Upstream);
    if (!pins) return std::unexpected(pins.error());
    const auto written =
        operations::commit(session, [&] { return operations::propose_pins(session, *pins); });
    if (!written) return std::unexpected(written.error());
    tell_pinned(session, *pins, *written);
    tell_failures(*pins);
    if (any_failed(*pins)) return fail(Exit::Refused, "what is installed stays as it is");
    return {};
}

Result<Exit> install(Session& session, const Options& options) {
    auto owners =
        parse_owners(options.overlays, Kind::Installation, "install what? NAME or installation/NAME");
    if (!owners) return std::unexpected(owners.error());
    if (auto entered = drop_privileges_and_configure(session, Access::Act); !entered)
        return std::unexpected(entered.error());
    const auto in_force = operations::read_source(session);
    if (!in_force) return std::unexpected(in_force.error());
    const ManifestSet& set = in_force->set;
    if (owners->empty()) {
        for (const std::string& name : operations::manifest_names(set, Kind::Installation))
            owners->push_back({Kind::Installation, name});
    }
    if (owners->empty())
        return fail(Exit::NotFound, "no manifest is an Installation; l4d2ctl explain installation shows one");
    for (const PinOwner& owner : *owners) {
        if (kind_of_artifacts(set, owner.name) != Kind::Installation)
            return fail(Exit::NotFound,
                        fmt::format("installation/{} is not there; l4d2ctl get installations lists them",
                                    owner.name));
    }
    std::erase_if(
        *owners, [&set](const PinOwner& owner) { return !pin_identity(set.overlays.at(owner.name).source); });
    if (!owners->empty()) {
        if (auto pinned = pin_newest(session, *owners); !pinned) return std::unexpected(pinned.error());
    }
    return reconcile(session, *options.timeout);
}

}  // namespace

void add_install(CLI::App& app, Session& session) {
    auto options = std::make_shared<Options>();
    Command verb = add_verb(app, session, "install",
                            "Installs the newest build of the game, and follows it until it is there",
                            "  sudo l4d2ctl install\n  sudo l4d2ctl install stable --wait",
                            [&session, options] { return install(session, *options); });
    verb.arguments("INSTALLATION", options->overlays, "NAME or installation/NAME; default: all",
                   Words::Installations);
    add_wait_option(verb, options->timeout);
}

void add_lock(CLI::App& app, Session& session) {
    auto options = std::make_shared<Options>();
    Command verb = add_verb(
        app, session, "lock",
        "Pins what overlays from git, the workshop and map indexes, and the game, are built from, in "
        "left4me.lock",
        "  sudo l4d2ctl lock --check\n  sudo l4d2ctl lock overlay/maps --wait\n  sudo l4d2ctl lock --built",
        [&session, options] { return lock(session, *options); });
    verb.arguments("OVERLAY", options->overlays,
                   "NAME, overlay/NAME or installation/NAME; default: all whose source moves",
                   Words::Artifacts);
    verb.flag("--check", options->check,
              "Only asks upstream, and lists what has moved; exits 1 if anything has");
    verb.flag("--built", options->built,
              "Pins what the present artifacts were built from, and asks nobody; nothing is built anew");
    verb.option("-o,--output", options->output, "table or json", {"table", "json"});
    verb.flag("--unattended", session.unattended,
              "As the refresh of an overlay does: leaves it to l4d2d or the timer to follow");
    add_wait_option(verb, options->timeout);
}

}  // namespace left4me::ctl
