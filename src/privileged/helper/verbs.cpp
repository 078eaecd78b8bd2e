#include "privileged/helper/verbs.hpp"

#include <filesystem>
#include <set>
#include <utility>

#include "privileged/helper/mounted.hpp"
#include "privileged/helper/unit_name.hpp"

namespace left4me::helper {
namespace {

using Names = std::vector<std::string>;

/// A call about unit files; `changed` becomes true if PID 1 changed any.
struct FileCall {
    const char* method;
    std::vector<int> flags;  ///< the booleans after the names
};

const FileCall enable_files{"EnableUnitFiles", {false, true}};
const FileCall disable_files{"DisableUnitFiles", {false}};
const FileCall unmask_files{"UnmaskUnitFiles", {false}};
const FileCall unmask_runtime_files{"UnmaskUnitFiles", {true}};

/// What one Enable or Disable has changed so far.
struct FileChange {
    bool links = false;
    bool masks = false;
};
using FileChangePtr = std::shared_ptr<FileChange>;

void files_call(Manager& manager, const FileCall& call, const Names& names, OnReply on_reply) {
    manager.call(
        call.method,
        [&](sd_bus_message* m) {
            int r = sd_bus_message_open_container(m, 'a', "s");
            for (const std::string& name : names)
                if (r >= 0) r = sd_bus_message_append(m, "s", server_unit(name).c_str());
            if (r >= 0) r = sd_bus_message_close_container(m);
            for (const int flag : call.flags)
                if (r >= 0) r = sd_bus_message_append(m, "b", flag);
            return r;
        },
        std::move(on_reply));
}

void note_changes(sd_bus_message* reply, bool& changed) {
    if (sd_bus_message_has_signature(reply, "ba(sss)") > 0) (void)sd_bus_message_skip(reply, "b");
    if (sd_bus_message_enter_container(reply, 'a', "(sss)") <= 0) return;
    if (sd_bus_message_at_end(reply, false) == 0) changed = true;
}

/// One call for all. If PID 1 refuses the batch because of one unit, one call each, so that the others do not
/// fail.
void change_files(Manager& manager, const FileCall& call, const BatchPtr& batch, const FileChangePtr& change,
                  const Join& then) {
    Names names;
    for (const Entry& entry : batch->entries) names.push_back(entry.name);
    files_call(manager, call, names, [&manager, &call, batch, change, then](const Reply& all) {
        if (all.ok()) return note_changes(all.message, change->links);
        for (Entry& entry : batch->entries) {
            files_call(manager, call, {entry.name}, [&entry, batch, change, then](const Reply& one) {
                if (one.ok()) return note_changes(one.message, change->links);
                entry.error = one.error;
            });
        }
    });
}

/// Makes PID 1 reload unit files, once per batch, if any changed. It starts no unit that it believes masked,
/// so the answer waits for a change of masks. Nothing waits for a change of enablement links.
Join reload_afterwards(Manager& manager, const BatchPtr& batch, const FileChangePtr& change) {
    return when_all_are_done([&manager, batch, change] {
        if (change->links && !change->masks) manager.reload_later();
        if (!change->masks) return;
        manager.reload([batch](const std::string& error) {
            for (Entry& entry : batch->entries)
                if (entry.error.empty()) entry.error = error;
        });
    });
}

bool is_masked_in(const std::filesystem::path& directory, const std::string& name) {
    std::error_code error;
    return std::filesystem::read_symlink(directory / server_unit(name), error) == "/dev/null" && !error;
}

void unmask(Manager& manager, const FileCall& call, const std::filesystem::path& directory,
            const BatchPtr& batch, const FileChangePtr& change, const Join& then) {
    Names masked;
    for (const Entry& entry : batch->entries)
        if (is_masked_in(directory, entry.name)) masked.push_back(entry.name);
    if (masked.empty()) return;
    // A failure is not reported here: the Enable that follows is refused for the same units, with PID 1's
    // message.
    files_call(manager, call, masked, [change, then](const Reply& reply) {
        if (reply.ok()) note_changes(reply.message, change->masks);
    });
}

void enqueue(Manager& manager, const char* method, const std::string& unit, const BatchPtr& batch,
             Entry& entry) {
    manager.job_call(method, unit, [batch, &entry](const std::string& job, const Reply& reply) {
        entry.job = job;
        entry.error = reply.error;
    });
}

/// The job of `unit` among those that EnqueueUnitJob has queued beside the one that was asked for; "" if
/// there is none: the unit needs no job.
std::string affected_job(sd_bus_message* reply, const std::string& unit) {
    int r = sd_bus_message_skip(reply, "uosos");
    if (r >= 0) r = sd_bus_message_enter_container(reply, 'a', "(uosos)");
    while (r > 0) {
        const char* job = nullptr;
        const char* name = nullptr;
        r = sd_bus_message_read(reply, "(uosos)", nullptr, &job, &name, nullptr, nullptr);
        if (r > 0 && unit == name) return job;
    }
    return "";
}

}  // namespace

void enable(Manager& manager, const BatchPtr& batch) {
    const auto change = std::make_shared<FileChange>();
    const Join then = reload_afterwards(manager, batch, change);
    unmask(manager, unmask_files, "/etc/systemd/system", batch, change, then);
    unmask(manager, unmask_runtime_files, "/run/systemd/system", batch, change, then);
    change_files(manager, enable_files, batch, change, then);
}

void disable(Manager& manager, const BatchPtr& batch) {
    const auto change = std::make_shared<FileChange>();
    change_files(manager, disable_files, batch, change, reload_afterwards(manager, batch, change));
}

void start(Manager& manager, const BatchPtr& batch) {
    for (Entry& entry : batch->entries) enqueue(manager, "StartUnit", server_unit(entry.name), batch, entry);
}

void restart(Manager& manager, const BatchPtr& batch) {
    for (Entry& entry : batch->entries)
        enqueue(manager, "RestartUnit", server_unit(entry.name), batch, entry);
}

void stop(Manager& manager, const BatchPtr& batch) {
    manager.list_servers([&manager, batch](const UnitStates& states, const std::string& error) {
        const std::set<std::string> mounted = mounted_servers();
        for (Entry& entry : batch->entries) {
            entry.error = error;
            if (!error.empty()) continue;
            const auto state = states.find(entry.name);
            const bool stopped = state == states.end() || state->second.stopped();
            // A stopped unit runs no ExecStopPost any more: without this, it would stay mounted.
            if (stopped && mounted.contains(entry.name))
                enqueue(manager, "StartUnit", umount_unit(entry.name), batch, entry);
            else if (!stopped)
                enqueue(manager, "StopUnit", server_unit(entry.name), batch, entry);
        }
    });
}

void attach(Manager& manager, const BatchPtr& batch) {
    manager.list_servers([&manager, batch](const UnitStates& states, const std::string& error) {
        const std::set<std::string> mounted = mounted_servers();
        for (Entry& entry : batch->entries) {
            entry.error = error;
            if (!error.empty()) continue;
            const auto state = states.find(entry.name);
            const bool runs = state != states.end() && state->second.active == "active";
            // A mounted server needs nothing, and a game that has exited has nothing to give back.
            if (runs && !mounted.contains(entry.name))
                enqueue(manager, "StartUnit", attach_unit(entry.name), batch, entry);
        }
    });
}

void start_build(Manager& manager, const BatchPtr& batch) {
    for (Entry& entry : batch->entries) enqueue(manager, "StartUnit", build_unit(entry.name), batch, entry);
}

void start_script(Manager& manager, const BatchPtr& batch) {
    for (Entry& entry : batch->entries) {
        const std::string unit = script_unit(entry.name);
        // One transaction, which starts the build first, because the script is bound to it: with two, a build
        // that fails at once would be started twice.
        manager.call(
            "EnqueueUnitJob",
            [&unit](sd_bus_message* m) {
                return sd_bus_message_append(m, "sss", unit.c_str(), "start", "replace");
            },
            [batch, &entry](const Reply& reply) {
                entry.error = reply.error;
                // Whether the script has begun is the build's business, which waits for it.
                if (reply.ok()) entry.job = affected_job(reply.message, build_unit(entry.name));
            });
    }
}

void stop_build(Manager& manager, const BatchPtr& batch) {
    for (Entry& entry : batch->entries) enqueue(manager, "StopUnit", build_unit(entry.name), batch, entry);
}

void refresh(Manager& manager, const BatchPtr& batch) {
    for (Entry& entry : batch->entries) enqueue(manager, "StartUnit", refresh_unit(entry.name), batch, entry);
}

void forget_failure(Manager& manager, const BatchPtr& batch, Entry& entry) {
    const std::string unit = server_unit(entry.name);
    manager.call(
        "ResetFailedUnit", [&unit](sd_bus_message* m) { return sd_bus_message_append(m, "s", unit.c_str()); },
        [batch, &entry](const Reply& reply) {
            // A unit that is not loaded has no failure to reset.
            if (reply.error_name != "org.freedesktop.systemd1.NoSuchUnit") entry.error = reply.error;
        });
}

void reset_failed(Manager& manager, const BatchPtr& batch) {
    for (Entry& entry : batch->entries) forget_failure(manager, batch, entry);
}

}  // namespace left4me::helper
