#pragma once

namespace left4me {

/// The rules a revision has to keep. Each has at least one case under test/cases/invalid; a test sees to it.
enum class Rule {
    Other,  ///< of no manifest rule: for diagnostics made elsewhere
    // The file and its text.
    FileTooLarge,
    TooManyDocuments,
    NotUtf8,
    ControlCharacter,
    // YAML.
    Syntax,
    TabIndentation,
    Directive,
    SecondDocument,
    TooDeep,
    TooManyValues,
    AliasUnknown,
    Tag,
    DuplicateKey,
    KeyNotText,
    // One document against the field table.
    NotAnObject,
    ApiVersionMissing,
    ApiVersionUnknown,
    KindMissing,
    KindUnknown,
    MergeKey,
    FieldUnknown,
    FieldMissing,
    TypeMismatch,
    NullValue,
    ValueUnknown,
    ValueInvalid,  ///< not in the grammar of its type
    ValueRange,
    TooLong,
    TooShort,
    TooMany,
    NameInvalid,
    LabelInvalid,
    ListedTwice,
    // Sources of overlays.
    SourceCount,
    SourceUnsupported,
    DirectoryInvalid,
    DirectoryInState,
    DirectoryOutsideRoots,
    FilePathInvalid,
    FilePathConflict,
    // What reaches the game.
    ArgumentOwned,
    ArgumentPassword,
    PlaceholderUnknown,
    PlaceholderUnterminated,
    SecretInArgument,
    SecretFileInvalid,
    SecretNotListed,
    SecretReserved,
    // Between fields and between documents.
    DeadlineWithoutWhenEmpty,
    DuplicateName,
    DuplicatePort,
    ReferenceDangling,
    Count,  ///< not a rule: how many there are
};

}  // namespace left4me
