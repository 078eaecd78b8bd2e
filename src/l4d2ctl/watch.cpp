#include "l4d2ctl/watch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "l4d2ctl/tables.hpp"
#include "operations/follow.hpp"
#include "operations/objects.hpp"
#include "operations/selection.hpp"
#include "operations/server_view.hpp"

namespace left4me::ctl {

namespace {

/// A pass with news replaces the status, which wakes us up. Without a daemon, there may be no pass for a long
/// time.
constexpr std::chrono::milliseconds look_anyway{1000};

/// Everything that a line shows except times, which change by themselves.
std::string key_of(const View& view, const std::string& name) {
    const auto observed = view.observed.servers.find(name);
    const ObservedUnit unit =
        observed == view.observed.servers.end() ? ObservedUnit{} : observed->second.unit;
    const auto desired = view.desired().servers.find(name);
    const Condition* const ready = ready_condition(view, name);
    return fmt::format("{}/{}/{}/{}/{}/{}/{}/{}", ready == nullptr ? "-" : to_string(ready->status),
                       operations::activity_text(unit), unit.sub, to_string(unit.enablement),
                       desired == view.desired().servers.end() ? "-" : to_string(desired->second.state),
                       operations::players_text(view, name), operations::map_text(view, name),
                       why_text(view, name));
}

class Watching {
  public:
    Watching(const Session& session, std::vector<std::string> names, std::string selector, std::string output)
        : session_(session),
          names_(std::move(names)),
          selector_(std::move(selector)),
          output_(std::move(output)) {}

    Result<void> show(View& view) {
        std::vector<std::string> names = operations::with_labels(operations::shown_servers(view),
                                                                 Kind::Server, selector_, view.in_force.set);
        if (!names_.empty()) {
            std::erase_if(names, [this](const std::string& name) {
                return std::find(names_.begin(), names_.end(), name) == names_.end();
            });
        }
        std::map<std::string, std::string> keys;
        std::vector<std::string> changed;
        for (const std::string& name : names) {
            const auto known = keys_.find(name);
            const std::string key = key_of(view, name);
            if (known == keys_.end() || known->second != key) changed.push_back(name);
            keys.emplace(name, key);
        }
        for (const auto& [name, key] : keys_) {
            if (!keys.contains(name)) tell_gone(name);
        }
        keys_ = std::move(keys);
        if (output_ == "json") return show_json(view, changed);
        show_table(view, names, changed);
        return {};
    }

  private:
    void tell_gone(const std::string& name) const {
        print(output_ == "json"
                  ? operations::Json{{"kind", "Server"}, {"name", name}, {"deleted", true}}.dump() + "\n"
                  : name + "   deleted\n");
    }

    static Result<void> show_json(View& view, const std::vector<std::string>& names) {
        const auto objects = operations::objects_json(view, Kind::Server, names);
        if (!objects) return std::unexpected(objects.error());
        for (const operations::Json& object : *objects)
            print(object.dump(-1, ' ', false, operations::Json::error_handler_t::replace) + "\n");
        return {};
    }

    /// Every line is taken from the table of all servers, so that the columns do not move.
    void show_table(const View& view, const std::vector<std::string>& names,
                    const std::vector<std::string>& changed) {
        if (changed.empty()) return;
        const std::string text = kind_table(view, Kind::Server, names, output_ == "wide", session_.out);
        std::size_t begin = text.find('\n') + 1;
        if (!headed_) print(text.substr(0, begin));
        headed_ = true;
        for (const std::string& name : names) {
            const std::size_t end = text.find('\n', begin) + 1;
            if (std::find(changed.begin(), changed.end(), name) != changed.end())
                print(text.substr(begin, end - begin));
            begin = end;
        }
    }

    const Session& session_;
    std::vector<std::string> names_;
    std::string selector_;
    std::string output_;
    std::map<std::string, std::string> keys_;
    bool headed_ = false;
};

}  // namespace

Result<Exit> watch_servers(Session& session, const std::vector<std::string>& names,
                           const std::string& selector, const std::string& output) {
    operations::StateWatch watch(session.paths);
    Watching watching(session, names, selector, output);
    std::string said;
    for (bool first = true;; first = false) {
        auto view = operations::observe(session);
        if (first && !view) return std::unexpected(view.error());
        const auto missing =
            first ? std::find_if(names.begin(), names.end(),
                                 [&](const std::string& name) { return !is_shown(*view, name); })
                  : names.end();
        if (missing != names.end())
            return fail(Exit::NotFound, fmt::format("server/{} is not there", *missing));
        const Result<void> shown = view ? watching.show(*view) : std::unexpected(view.error());
        // A restarted bus comes back; the same error is reported once.
        const std::string error = shown ? "" : shown.error().message;
        if (!error.empty() && error != said) print_error(error);
        said = error;
        if (std::fflush(stdout) != 0) return Exit::Refused;
        watch.wait(look_anyway);
    }
}

}  // namespace left4me::ctl
