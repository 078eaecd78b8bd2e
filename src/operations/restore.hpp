#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "adapters/fd.hpp"
#include "operations/backup.hpp"
#include "operations/context.hpp"

namespace left4me::operations {

struct RestoreRequest {
    std::string server;                   ///< only what this one wrote; empty: everything
    std::vector<std::string> identities;  ///< files with private keys of age or ssh; none: a passphrase
};

/// A backup that was verified as a whole and unpacked beside what it may replace. Nothing is in place yet;
/// what place() does not take is removed with this object.
class Restoration {
  public:
    /// Refuses servers that run, and, unless it is about one server, a daemon that runs: it would write what
    /// it remembers over what is restored.
    static Result<Restoration> unpack(Context& context, const RestoreRequest& request, int archive);
    Restoration(Restoration&&) = default;
    Restoration& operator=(Restoration&&) = delete;
    ~Restoration();

    const std::string& host() const { return host_; }  ///< where it was made
    const std::string& made() const { return made_; }  ///< when
    /// What is there already and would be lost: "the manifests in /etc/left4me/manifests".
    const std::vector<std::string>& replaced() const { return replaced_; }
    /// What place() puts in place, in the same words.
    const std::vector<std::string>& parts() const { return parts_; }
    /// The servers among them.
    const std::vector<std::string>& servers() const { return servers_; }
    /// Where the repository is put, if there is one among them (else empty): its settings, hooks and owners
    /// are to be made anew.
    const std::filesystem::path& repository() const { return repository_; }

    /// All of it, or nothing.
    Result<void> place(Context& context);

  private:
    struct Move {
        std::filesystem::path from;
        std::filesystem::path to;
        std::string server;  ///< whose it is; empty: no server's
    };

    Restoration() = default;
    Result<void> make_rooms(const Context& context, const RestoreRequest& request);
    Result<void> read_about(const Context& context);
    Result<void> look(const Context& context);
    /// Undoes what place() has moved before `end`; an error that says so.
    Result<void> put_back(std::vector<Move>::iterator end, const Error& why);
    void look_at(const std::string& meaning, const Move& move, bool counts);

    Fd alone_;                                            ///< the lock of restores
    std::map<std::string, std::filesystem::path> rooms_;  ///< by section
    std::vector<BackupSection> sections_;
    std::vector<Move> moves_;
    std::string host_;
    std::string made_;
    std::vector<std::string> replaced_;
    std::vector<std::string> parts_;
    std::vector<std::string> servers_;
    std::filesystem::path repository_;
};

/// An event of each server, and a pass. Call it as left4me, whose files it writes. `origin`: "HOST at TIME".
void tell_restored(const Context& context, const std::vector<std::string>& servers,
                   const std::string& origin);

}  // namespace left4me::operations
