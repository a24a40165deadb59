// The list of GC: which attachments are to be kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "unicni/result.h"

namespace unicni {

/// A set of attachments. A runtime may list hundreds of thousands, so a copy shares the list, and
/// an attachment takes its names' bytes and 18 more. JSON has text where the kernel has bytes:
/// libcni writes U+FFFD for each byte that is no UTF-8. So names count as equal here if they are
/// but for such bytes: what is valid is never taken for stale.
class ValidAttachments {
 public:
  ValidAttachments();  ///< none
  ValidAttachments(std::initializer_list<Attachment> attachments);
  explicit ValidAttachments(const std::vector<Attachment>& attachments);
  ~ValidAttachments();
  ValidAttachments(const ValidAttachments&);
  ValidAttachments& operator=(const ValidAttachments&);

  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] bool contains(const Attachment& attachment) const;
  [[nodiscard]] bool contains_container(std::string_view container_id) const;
  /// In the order of the list; a name's bytes that are no UTF-8 may be others than the kernel's.
  using Visit = std::function<void(std::string_view container_id, std::string_view if_name)>;
  void for_each(const Visit& visit) const;
  /// Those of `owners` that are no valid attachment's. `print` makes an attachment the text that
  /// names it as an owner: it ends in "/container/ifname", unless it is too long for where it
  /// stands.
  using Print = std::function<std::string(const Attachment&)>;
  [[nodiscard]] std::set<std::string> invalid_among(std::set<std::string> owners,
                                                    const Print& print) const;

  /// Makes the set, one by one.
  class Builder {
   public:
    Builder();
    ~Builder();
    Builder(Builder&&) noexcept;
    Builder& operator=(Builder&&) noexcept;
    /// A name with a NUL byte is nobody's, and left out.
    void add(std::string_view container_id, std::string_view if_name);
    [[nodiscard]] std::size_t size() const { return size_; }  ///< of the left out ones as well
    ValidAttachments take();

   private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
    std::size_t size_ = 0;
    friend class ValidAttachments;
  };

 private:
  struct List;
  explicit ValidAttachments(std::shared_ptr<const List> list);
  std::shared_ptr<const List> list_;
};

}  // namespace unicni
