#include "privileged/helper/manager.hpp"

#include <cstdio>
#include <cstring>
#include <ctime>
#include <set>
#include <utility>

#include "privileged/helper/unit_name.hpp"

namespace left4me::helper {
namespace {

constexpr const char* service = "org.freedesktop.systemd1";
constexpr const char* path = "/org/freedesktop/systemd1";
constexpr const char* interface = "org.freedesktop.systemd1.Manager";

// PID 1 answers no calls while it reloads, which takes seconds on a host with thousands of units.
constexpr std::uint64_t timeout_usec = 5ULL * 60 * 1'000'000;

constexpr std::size_t window = 100;

// Long enough for the enablement of a whole push. A reload blocks PID 1, and with it every start and stop.
constexpr std::uint64_t reload_delay_usec = 2'000'000;

// How often to check for jobs whose end was not signalled. Unmounting takes milliseconds.
constexpr std::uint64_t look_for_lost_usec = 5'000'000;

std::string words(int negative_errno) { return std::strerror(-negative_errno); }

/// Erases from `jobs` those that a reply to ListJobs names; false if the reply is malformed.
bool take_out_listed(sd_bus_message* reply, std::set<std::string>& jobs) {
    int r = sd_bus_message_enter_container(reply, 'a', "(usssoo)");
    const char* job = nullptr;
    while (r > 0) {
        r = sd_bus_message_read(reply, "(usssoo)", nullptr, nullptr, nullptr, nullptr, &job, nullptr);
        if (r > 0) jobs.erase(job);
    }
    return r >= 0;
}

}  // namespace

void Manager::call(const char* method, const std::function<int(sd_bus_message*)>& append, OnReply on_reply) {
    MessagePtr message;
    int r = sd_bus_message_new_method_call(bus_, out(message), service, path, interface, method);
    if (r >= 0) r = append(message.get());
    if (r < 0)
        return on_reply(
            {.message = nullptr, .error = std::string(method) + ": " + words(r), .error_name = {}});
    Waiting next{std::move(message), std::make_unique<Sent>(this, std::move(on_reply))};
    if (unanswered_ < window)
        send(std::move(next));
    else
        waiting_to_be_sent_.push_back(std::move(next));
}

void Manager::send(Waiting call) {
    const int r =
        sd_bus_call_async(bus_, nullptr, call.message.get(), deliver, call.sent.get(), timeout_usec);
    if (r < 0) return call.sent->on_reply({.message = nullptr, .error = words(r), .error_name = {}});
    ++unanswered_;
    (void)call.sent.release();  // deliver() owns it from here on
}

int Manager::deliver(sd_bus_message* message, void* userdata, sd_bus_error*) {
    const std::unique_ptr<Sent> sent(static_cast<Sent*>(userdata));
    Manager& self = *sent->manager;
    --self.unanswered_;
    if (!self.waiting_to_be_sent_.empty()) {
        Waiting next = std::move(self.waiting_to_be_sent_.front());
        self.waiting_to_be_sent_.pop_front();
        self.send(std::move(next));
    }
    Reply reply{.message = message, .error = {}, .error_name = {}};
    if (sd_bus_message_is_method_error(message, nullptr) > 0) {
        const sd_bus_error* error = sd_bus_message_get_error(message);
        reply.error_name = error->name;
        reply.error = error->message != nullptr ? error->message : error->name;
    }
    sent->on_reply(std::move(reply));
    return 0;
}

void Manager::job_call(const char* method, const std::string& unit,
                       std::function<void(const std::string&, const Reply&)> on_job) {
    call(
        method,
        [&unit](sd_bus_message* m) { return sd_bus_message_append(m, "ss", unit.c_str(), "replace"); },
        [on_job = std::move(on_job)](Reply reply) {
            const char* job = "";
            if (reply.ok() && sd_bus_message_read(reply.message, "o", &job) < 0)
                reply.error = "unexpected answer";
            on_job(reply.ok() ? job : "", reply);
        });
}

void Manager::list_servers(std::function<void(UnitStates, const std::string&)> on_states) {
    const std::string pattern = server_unit("*");
    call(
        "ListUnitsByPatterns",
        [&pattern](sd_bus_message* m) { return sd_bus_message_append(m, "asas", 0, 1, pattern.c_str()); },
        [on_states = std::move(on_states)](const Reply& reply) {
            UnitStates states;
            if (!reply.ok()) return on_states({}, reply.error);
            int r = sd_bus_message_enter_container(reply.message, 'a', "(ssssssouso)");
            while (r > 0) {
                const char* unit = nullptr;
                const char* active = nullptr;
                const char* sub = nullptr;
                std::uint32_t job = 0;
                r = sd_bus_message_read(reply.message, "(ssssssouso)", &unit, nullptr, nullptr, &active, &sub,
                                        nullptr, nullptr, &job, nullptr, nullptr);
                if (r <= 0) break;
                if (const auto name = server_of(unit)) states[*name] = {active, sub, job != 0};
            }
            on_states(std::move(states), r < 0 ? "ListUnitsByPatterns: " + words(r) : "");
        });
}

void Manager::run(const std::string& unit, std::function<void(const std::string&)> on_end) {
    watch_jobs();
    // On one connection, the reply that names the job always arrives before the signal that ends it.
    job_call("StartUnit", unit,
             [this, on_end = std::move(on_end)](const std::string& job, const Reply& reply) {
                 if (!reply.ok()) return on_end(reply.error);
                 waiting_[job].push_back(on_end);
                 look_again_later();
             });
}

void Manager::look_again_later() {
    if (looking_later_ || waiting_.empty()) return;
    const auto look = [](sd_event_source*, std::uint64_t, void* self) {
        static_cast<Manager*>(self)->looking_later_ = false;
        static_cast<Manager*>(self)->look_for_lost_jobs();
        return 0;
    };
    // Without a slot, the event loop owns the timer.
    looking_later_ = sd_event_add_time_relative(sd_bus_get_event(bus_), nullptr, CLOCK_MONOTONIC,
                                                look_for_lost_usec, 0, look, this) >= 0;
}

void Manager::look_for_lost_jobs() {
    std::set<std::string> asked;
    for (const auto& entry : waiting_) asked.insert(entry.first);
    call(
        "ListJobs", [](sd_bus_message*) { return 0; },
        [this, asked = std::move(asked)](const Reply& reply) mutable {
            // No answer: nothing is known about any job.
            if (!reply.ok() || !take_out_listed(reply.message, asked)) return look_again_later();
            for (const std::string& job : asked) end_job(job, "");
            look_again_later();
        });
}

void Manager::reload(std::function<void(const std::string&)> on_done) {
    reload_pending_ = false;
    call(
        "Reload", [](sd_bus_message*) { return 0; },
        [on_done = std::move(on_done)](const Reply& reply) {
            on_done(reply.ok() ? "" : "systemd could not reload: " + reply.error);
        });
}

void Manager::reload_later() {
    reload_pending_ = true;
    if (reload_timer_) return;
    const auto reload_now = [](sd_event_source*, std::uint64_t, void* userdata) {
        auto* self = static_cast<Manager*>(userdata);
        self->reload_timer_ = false;
        if (!self->reload_pending_) return 0;
        self->reload([](const std::string& error) {
            if (!error.empty()) std::fprintf(stderr, "%s\n", error.c_str());
        });
        return 0;
    };
    reload_timer_ = sd_event_add_time_relative(sd_bus_get_event(bus_), nullptr, CLOCK_MONOTONIC,
                                               reload_delay_usec, 0, reload_now, this) >= 0;
}

Remover& Manager::remover() {
    if (!remover_) remover_ = std::make_unique<Remover>(sd_bus_get_event(bus_));
    return *remover_;
}

void Manager::watch_jobs() {
    if (watching_jobs_) return;
    watching_jobs_ = true;
    (void)sd_bus_match_signal_async(bus_, nullptr, service, path, interface, "JobRemoved", job_removed,
                                    nullptr, this);
    call("Subscribe", [](sd_bus_message*) { return 0; }, [](const Reply&) {});
}

int Manager::job_removed(sd_bus_message* signal, void* userdata, sd_bus_error*) {
    auto* self = static_cast<Manager*>(userdata);
    const char* job = nullptr;
    const char* result = nullptr;
    if (sd_bus_message_read(signal, "uoss", nullptr, &job, nullptr, &result) < 0) return 0;
    self->end_job(job, result);
    return 0;
}

void Manager::end_job(const std::string& job, const std::string& result) {
    const auto found = waiting_.extract(job);
    if (found.empty()) return;
    for (const OnEnd& on_end : found.mapped()) on_end(result);
}

}  // namespace left4me::helper
