#pragma once

#include "adapters/source/source.hpp"

namespace left4me {

/// A directory of manifests on this host.
class ManifestDirectory final : public Source {
  public:
    ManifestDirectory(std::filesystem::path directory, Limits limits);

    std::string name() const override;
    std::expected<Snapshot, SourceError> read() override;
    std::expected<Snapshot, SourceError> read_revision(const std::string& revision) override;
    bool is_blank() override;
    /// A directory has no history: its content is always intended.
    bool follows(const std::string& before, const std::string& now) override;
    std::string new_file(const std::string& name) const override;
    std::string expected_revision(const std::vector<SourceFile>& files) override;
    std::expected<std::string, CommitError> commit(const SourceChange& change,
                                                   const Authorship& who) override;
    std::expected<void, std::string> finish_commit() override;
    std::vector<std::filesystem::path> watch_paths() const override;

  private:
    std::filesystem::path directory_;
    Limits limits_;
};

}  // namespace left4me
