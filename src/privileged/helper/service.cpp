#include "privileged/helper/service.hpp"

#include <pwd.h>

#include <cstdio>
#include <utility>

#include "privileged/helper/message.hpp"
#include "privileged/helper/verbs.hpp"
#include "specs/name.hpp"

namespace left4me::helper {
namespace {

// Activation takes milliseconds, so an idle host need not keep a root process running.
constexpr std::uint64_t idle_usec = 30ULL * 1'000'000;

std::optional<uid_t> uid_of(const char* user) {
    const passwd* entry = getpwnam(user);
    if (entry == nullptr) return std::nullopt;
    return entry->pw_uid;
}

/// The names of a request, or nullopt with `error` set.
std::optional<std::vector<Entry>> read_names(sd_bus_message* call, sd_bus_error* error) {
    std::vector<Entry> entries;
    if (sd_bus_message_enter_container(call, 'a', "s") < 0) {
        sd_bus_error_set_const(error, SD_BUS_ERROR_INVALID_ARGS, "expected an array of server names");
        return std::nullopt;
    }
    const char* name = nullptr;
    while (sd_bus_message_read_basic(call, 's', static_cast<void*>(&name)) > 0) {
        if (!is_valid_name(name)) {
            sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
                              "\"%s\" is not a server's name: 1 to 32 of a-z, 0-9 and, inside, -", name);
            return std::nullopt;
        }
        if (entries.size() == max_batch) {
            sd_bus_error_setf(error, SD_BUS_ERROR_LIMITS_EXCEEDED, "more than %zu names in one request",
                              max_batch);
            return std::nullopt;
        }
        entries.push_back({.name = name, .job = {}, .error = {}});
    }
    return entries;
}

/// The settings of one unit into `tuning`; false if they are not in the grammar, with `error` set.
bool read_settings(sd_bus_message* call, Tuning& tuning, sd_bus_error* error) {
    const char* unit = nullptr;
    const char* name = nullptr;
    const char* value = nullptr;
    (void)sd_bus_message_read_basic(call, 's', static_cast<void*>(&unit));
    if (!may_be_tuned(unit)) {
        sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS, "\"%s\" is no unit that left4me tunes", unit);
        return false;
    }
    UnitSettings& settings = tuning[unit];
    (void)sd_bus_message_enter_container(call, 'a', "(ss)");
    while (sd_bus_message_read(call, "(ss)", &name, &value) > 0) {
        if (!is_valid_setting(unit, name, value)) {
            sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
                              "\"%s=%s\" is nothing that left4me sets of %s", name, value, unit);
            return false;
        }
        settings[name] = value;
    }
    (void)sd_bus_message_exit_container(call);
    return true;
}

/// The units of a request with their settings, or nullopt with `error` set. sd-bus has compared the
/// signature.
std::optional<Tuning> read_tuning(sd_bus_message* call, sd_bus_error* error) {
    Tuning tuning;
    (void)sd_bus_message_enter_container(call, 'a', "(sa(ss))");
    while (sd_bus_message_enter_container(call, 'r', "sa(ss)") > 0) {
        if (tuning.size() == max_batch) {
            sd_bus_error_setf(error, SD_BUS_ERROR_LIMITS_EXCEEDED, "more than %zu units in one request",
                              max_batch);
            return std::nullopt;
        }
        if (!read_settings(call, tuning, error)) return std::nullopt;
        (void)sd_bus_message_exit_container(call);
    }
    return tuning;
}

/// One journal line per request: who asked for what.
void log_request(sd_bus_message* call, const std::vector<Entry>& entries) {
    constexpr std::size_t shown = 20;
    std::string names;
    for (std::size_t i = 0; i < entries.size() && i < shown; ++i) names += " " + entries[i].name;
    if (entries.size() > shown) names += " and " + std::to_string(entries.size() - shown) + " more";
    std::fprintf(stderr, "%s:%s (asked by %s)\n", sd_bus_message_get_member(call), names.c_str(),
                 sd_bus_message_get_sender(call));
}

}  // namespace

template <Service::Verb verb>
int Service::handle(sd_bus_message* call, void* userdata, sd_bus_error* error) {
    return static_cast<Service*>(userdata)->accept(verb, call, error);
}

const sd_bus_vtable Service::vtable_[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("Enable", "as", "a(sss)", handle<enable>, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("Disable", "as", "a(sss)", handle<disable>, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("Start", "as", "a(sss)", handle<start>, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("Stop", "as", "a(sss)", handle<stop>, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("Restart", "as", "a(sss)", handle<restart>, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("Attach", "as", "a(sss)", handle<attach>, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("ResetFailed", "as", "a(sss)", handle<reset_failed>, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("Purge", "as", "a(sss)", handle<purge>, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("StartBuild", "as", "a(sss)", handle<start_build>, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("StartScript", "as", "a(sss)", handle<start_script>, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("StopBuild", "as", "a(sss)", handle<stop_build>, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("Refresh", "as", "a(sss)", handle<refresh>, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("Tune", "a(sa(ss))", "a(sss)", handle_tune, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END};

Service::Service(sd_bus* bus, sd_event* event)
    : bus_(bus), event_(event), manager_(bus), left4me_(uid_of("left4me")) {}

int Service::begin() {
    int r = sd_bus_add_object_vtable(bus_, nullptr, object_path, interface_name, vtable_, this);
    if (r >= 0) {
        const auto on_idle = [](sd_event_source*, std::uint64_t, void* self) {
            static_cast<Service*>(self)->close();
            return 0;
        };
        r = sd_event_add_time_relative(event_, &idle_, CLOCK_MONOTONIC, idle_usec, 0, on_idle, this);
    }
    if (r >= 0) r = sd_bus_request_name(bus_, bus_name, 0);
    if (r >= 0) remove_leftovers(manager_);
    return r;
}

void Service::close() {
    if (std::exchange(closing_, true)) return;
    // From now on, the bus sends new callers to a new helper; earlier ones are still answered.
    (void)sd_bus_release_name(bus_, bus_name);
    if (manager_.has_reload_to_do()) {
        ++under_way_;
        manager_.reload([this](const std::string&) {
            --under_way_;
            rest();
        });
    }
    rest();
}

void Service::rest() {
    if (under_way_ > 0) return;
    if (!closing_) {
        (void)sd_event_source_set_time_relative(idle_, idle_usec);
        (void)sd_event_source_set_enabled(idle_, SD_EVENT_ONESHOT);
        return;
    }
    // A request that was received before the name was released may have been accepted since. Its reply comes
    // back here.
    const auto leave = [](sd_event_source* source, void* self) {
        if (static_cast<Service*>(self)->under_way_ > 0) return 0;
        return sd_event_exit(sd_event_source_get_event(source), 0);
    };
    sd_event_source* last = nullptr;
    // Behind every message that has been received.
    if (sd_event_add_defer(event_, &last, leave, this) < 0) return;
    (void)sd_event_source_set_priority(last, SD_EVENT_PRIORITY_IDLE);
    (void)sd_event_source_set_floating(last, 1);
    sd_event_source_unref(last);
}

/// Duplicates the bus policy: a policy that was opened by mistake must not open the helper.
bool Service::may_call(sd_bus_message* call, sd_bus_error* error) const {
    sd_bus_creds* creds = nullptr;
    uid_t uid = 0;
    int r = sd_bus_query_sender_creds(call, SD_BUS_CREDS_EUID, &creds);
    if (r >= 0) r = sd_bus_creds_get_euid(creds, &uid);
    sd_bus_creds_unref(creds);
    if (r >= 0 && (uid == 0 || uid == left4me_)) return true;
    sd_bus_error_set_const(error, SD_BUS_ERROR_ACCESS_DENIED, "only root and user left4me may ask for this");
    return false;
}

int Service::accept(Verb verb, sd_bus_message* call, sd_bus_error* error) {
    if (!may_call(call, error)) return -sd_bus_error_get_errno(error);
    auto entries = read_names(call, error);
    const BatchPtr batch = entries ? begin_batch(std::move(*entries), call, error) : nullptr;
    if (!batch) return -sd_bus_error_get_errno(error);
    verb(manager_, batch);
    return 1;
}

int Service::handle_tune(sd_bus_message* call, void* service, sd_bus_error* error) {
    auto* const self = static_cast<Service*>(service);
    if (!self->may_call(call, error)) return -sd_bus_error_get_errno(error);
    const auto wanted = read_tuning(call, error);
    const BatchPtr batch =
        wanted ? self->begin_batch({{.name = "this", .job = {}, .error = {}}}, call, error) : nullptr;
    if (!batch) return -sd_bus_error_get_errno(error);
    tune(self->manager_, batch, *wanted);
    return 1;
}

/// What is answered when it is let go of; nullptr with `error` set.
BatchPtr Service::begin_batch(std::vector<Entry> entries, sd_bus_message* call, sd_bus_error* error) {
    if (names_under_way_ + entries.size() > max_names_under_way) {
        sd_bus_error_setf(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                          "requests for %zu names are in flight: retry when they are answered",
                          names_under_way_);
        return nullptr;
    }
    log_request(call, entries);

    ++under_way_;
    names_under_way_ += entries.size();
    (void)sd_event_source_set_enabled(idle_, SD_EVENT_OFF);
    auto batch = std::make_shared<Batch>();
    batch->entries = std::move(entries);
    // The batch must not own itself: the reply refers to it only while it is taken apart.
    batch->answer = when_all_are_done(
        [this, raw = batch.get(),
         kept = std::shared_ptr<sd_bus_message>(sd_bus_message_ref(call), sd_bus_message_unref)] {
            answer(kept.get(), *raw);
        });
    return batch;
}

void Service::answer(sd_bus_message* call, const Batch& batch) {
    MessagePtr reply;
    int r = sd_bus_message_new_method_return(call, out(reply));
    if (r >= 0) r = sd_bus_message_open_container(reply.get(), 'a', "(sss)");
    for (const Entry& entry : batch.entries) {
        if (!entry.error.empty()) std::fprintf(stderr, "%s: %s\n", entry.name.c_str(), entry.error.c_str());
        if (r >= 0) {
            r = sd_bus_message_append(reply.get(), "(sss)", entry.name.c_str(), entry.job.c_str(),
                                      entry.error.c_str());
        }
    }
    if (r >= 0) r = sd_bus_message_close_container(reply.get());
    if (r >= 0) r = sd_bus_send(bus_, reply.get(), nullptr);
    if (r < 0) std::fprintf(stderr, "cannot answer: errno %d\n", -r);
    --under_way_;
    names_under_way_ -= batch.entries.size();
    rest();
}

}  // namespace left4me::helper
