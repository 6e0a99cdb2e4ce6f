"""No post: e-mails stay where they are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulator.domain.emails import Posting


class NoPost:
    """Carries nothing anywhere."""

    def start(self, *_: object) -> None:
        """Need nobody's help."""

    def take(self, posting: Posting) -> None:
        """Leave the e-mail where it is."""

    def stop(self) -> None:
        """Be done."""
