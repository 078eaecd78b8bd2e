#pragma once

#include "adapters/config/config.hpp"
#include "adapters/source/source.hpp"

namespace left4me {

/// A branch of a bare repository on this host, or of a remote one that is fetched into it.
class ManifestRepository final : public Source {
  public:
    ManifestRepository(GitSettings settings, Limits limits);

    std::string name() const override;
    std::expected<Snapshot, SourceError> read() override;
    std::expected<Snapshot, SourceError> read_revision(const std::string& revision) override;
    bool is_blank() override;
    bool follows(const std::string& before, const std::string& now) override;
    std::string new_file(const std::string& name) const override;
    std::string expected_revision(const std::vector<SourceFile>& files) override;
    std::expected<std::string, CommitError> commit(const SourceChange& change,
                                                   const Authorship& who) override;
    std::vector<std::filesystem::path> watch_paths() const override;
    std::optional<std::chrono::seconds> fetch_interval() const override;
    std::expected<void, std::string> fetch() override;

    /// A commit that is being pushed: its objects are in `quarantine` (git sets GIT_OBJECT_DIRECTORY for
    /// hooks) until it is accepted. Messages name files by their path in the tree, without the commit.
    std::expected<Snapshot, SourceError> read_pushed(const std::string& revision,
                                                     const std::filesystem::path& quarantine);

  private:
    std::string reference() const;

    GitSettings settings_;
    Limits limits_;
};

}  // namespace left4me
