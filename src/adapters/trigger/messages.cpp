#include "adapters/trigger/messages.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "specs/text.hpp"

namespace left4me {
namespace {

using nlohmann::json;

constexpr std::size_t max_actor_bytes = 256;

/// Messages quote programs and files, and need not be UTF-8.
std::string line_of(const json& object) {
    return object.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

json to_json(const Action& action) {
    json object = {
        {"verb", to_string(action.verb)}, {"subject", to_string(action.subject)}, {"reason", action.reason}};
    if (action.code) object["code"] = to_string(*action.code);
    if (action.drift) object["drift"] = true;
    return object;
}

json to_json(const std::vector<Action>& actions) {
    json array = json::array();
    for (const Action& action : actions) array.push_back(to_json(action));
    return array;
}

json to_json(const CompletedActions& ended) {
    json array = json::array();
    for (const Outcome& outcome : ended.outcomes) {
        json object = to_json(ended.plan.actions[outcome.action]);
        object["done"] = outcome.done;
        object["milliseconds"] = outcome.took.count();
        if (!outcome.done) {
            object["failure"] = to_string(outcome.reason);
            object["message"] = outcome.message;
        }
        array.push_back(std::move(object));
    }
    return array;
}

/// What a key holds; empty if it is missing or of another type.
template <typename Value>
Value field(const json& object, const char* key) {
    const auto found = object.find(key);
    if (found == object.end()) return {};
    if constexpr (std::is_same_v<Value, std::string>) {
        return found->is_string() ? found->get<Value>() : Value{};
    } else if constexpr (std::is_same_v<Value, bool>) {
        return found->is_boolean() && found->get<Value>();
    } else {
        return found->is_number_integer() ? found->get<Value>() : Value{};
    }
}

const json& part(const json& object, const char* key) {
    static const json none;
    const auto found = object.find(key);
    return found == object.end() ? none : *found;
}

std::optional<Subject> parse_subject(std::string_view text) {
    for (const Kind kind : {Kind::Server, Kind::Overlay, Kind::Installation, Kind::Host}) {
        const std::string prefix = to_string(Subject{kind, {}});
        if (text.starts_with(prefix)) return Subject{kind, std::string(text.substr(prefix.size()))};
    }
    return std::nullopt;
}

/// nullopt: a verb or a kind of subject that this version does not know.
std::optional<Action> to_action(const json& object) {
    if (!object.is_object()) return std::nullopt;
    const auto verb = parse_verb(field<std::string>(object, "verb"));
    auto subject = parse_subject(field<std::string>(object, "subject"));
    if (!verb || !subject) return std::nullopt;
    Action action;
    action.verb = *verb;
    action.subject = *std::move(subject);
    action.reason = field<std::string>(object, "reason");
    action.code = parse_hold(field<std::string>(object, "code"));
    action.drift = field<bool>(object, "drift");
    return action;
}

std::vector<Action> to_actions(const json& array) {
    std::vector<Action> actions;
    if (!array.is_array()) return actions;
    for (const json& object : array) {
        if (auto action = to_action(object)) actions.push_back(*std::move(action));
    }
    return actions;
}

CompletedActions to_ended(const json& array) {
    CompletedActions ended;
    if (!array.is_array()) return ended;
    for (const json& object : array) {
        auto action = to_action(object);
        if (!action) continue;
        Outcome outcome;
        outcome.action = ended.plan.actions.size();
        outcome.done = field<bool>(object, "done");
        outcome.reason = parse_failure(field<std::string>(object, "failure")).value_or(FailureKind::Unknown);
        outcome.message = field<std::string>(object, "message");
        outcome.took = std::chrono::milliseconds(field<std::int64_t>(object, "milliseconds"));
        ended.plan.actions.push_back(*std::move(action));
        ended.outcomes.push_back(std::move(outcome));
    }
    return ended;
}

/// A discarded value when it is none.
json parse_object(std::string_view line) {
    json object = json::parse(line, nullptr, false);
    return object.is_object() ? object : json(json::value_t::discarded);
}

}  // namespace

std::string request_line(const TriggerRequest& request) {
    json object = json::object();
    if (request.retry) object["retry"] = true;
    if (!request.actor.empty()) object["actor"] = request.actor;
    return line_of(object);
}

std::string report_line(const StepReport& report) {
    json object = {{"revision", report.revision},
                   {"agree", report.difference.agreeing_servers},
                   {"starting", report.difference.starting_servers},
                   {"crashing", report.difference.crashing_servers},
                   {"silent", report.difference.silent_servers},
                   {"differ", report.difference.differing_servers},
                   {"difference", to_json(report.difference.actions)},
                   {"underWay", to_json(report.under_way)},
                   {"ended", to_json(report.ended)}};
    if (!report.source_error.empty())
        object["source"] = {{"trouble", to_string(report.error_kind)}, {"message", report.source_error}};
    if (!report.host_error.empty()) object["hostError"] = report.host_error;
    if (report.seen) object["seen"] = true;
    return line_of(object);
}

std::optional<TriggerRequest> parse_request(std::string_view line) {
    if (line.size() > max_request_bytes) return std::nullopt;
    if (line.find_first_not_of(" \t\r\n") == std::string_view::npos) return TriggerRequest{};
    const json object = parse_object(line);
    if (object.is_discarded()) return std::nullopt;
    TriggerRequest request{field<bool>(object, "retry"), printable_line(field<std::string>(object, "actor"))};
    if (request.actor.size() > max_actor_bytes) return std::nullopt;
    return request;
}

std::optional<StepReport> parse_report(std::string_view line) {
    const json object = parse_object(line);
    if (object.is_discarded()) return std::nullopt;
    StepReport report;
    report.revision = field<std::string>(object, "revision");
    report.difference.revision = report.revision;
    report.difference.agreeing_servers = field<std::size_t>(object, "agree");
    report.difference.starting_servers = field<std::size_t>(object, "starting");
    report.difference.crashing_servers = field<std::size_t>(object, "crashing");
    report.difference.silent_servers = field<std::size_t>(object, "silent");
    report.difference.differing_servers = field<std::size_t>(object, "differ");
    report.difference.actions = to_actions(part(object, "difference"));
    report.under_way = to_actions(part(object, "underWay"));
    report.ended = to_ended(part(object, "ended"));
    if (const json& source = part(object, "source"); source.is_object()) {
        report.error_kind =
            parse_trouble(field<std::string>(source, "trouble")).value_or(SourceErrorKind::Invalid);
        report.source_error = field<std::string>(source, "message");
    }
    report.host_error = field<std::string>(object, "hostError");
    report.seen = field<bool>(object, "seen");
    return report;
}

}  // namespace left4me
