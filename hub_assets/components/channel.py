"""The component that shows where events come from: the channels, above the topics they post to.

The hub takes events of any channel that has a key; this names those whose data side is to be seen.
"""

from typing import Self

import dagster as dg
from pydantic import BaseModel, Field, model_validator

from hub.domain import topics

GROUP = "channels"
TOPICS_KEY = "topics"


def channel_key(name: str) -> dg.AssetKey:
    """The asset that a channel is."""
    return dg.AssetKey(["channels", name])


class Channel(dg.Model, dg.Resolvable):
    """A channel, as its events name it."""

    name: str = Field(min_length=1)
    title: str
    title_zh: str = ""
    topics: list[str] = Field(default=list(topics.COMMERCE), description="What it posts to")
    owners: list[str] = Field(default=["team:channels"], description="team:<name> or an address")

    @model_validator(mode="after")
    def _topics_are_for_channels(self) -> Self:
        unknown = set(self.topics) - set(topics.COMMERCE)
        if unknown:
            raise ValueError(f"no channel posts to {', '.join(sorted(unknown))}")
        return self


class ChannelParams(BaseModel):
    """What `dg scaffold` asks for."""

    channel: str = "website"


class ChannelScaffolder(dg.Scaffolder[ChannelParams]):
    """Writes one channel that posts to all topics."""

    @classmethod
    def get_scaffold_params(cls) -> type[ChannelParams]:
        """Its name."""
        return ChannelParams

    def scaffold(self, request: dg.ScaffoldRequest[ChannelParams]) -> None:
        """Write `defs.yaml`."""
        name = request.params.channel
        dg.scaffold_component(request, {"channels": [{"name": name, "title": name}]})


@dg.scaffold_with(ChannelScaffolder)
class Channels(dg.Component, dg.Model, dg.Resolvable):
    """Channels as external assets; topics are joined to them by `hub_assets.graph`."""

    channels: list[Channel]

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """An external asset a channel."""
        return dg.Definitions(
            assets=[
                dg.AssetSpec(
                    channel_key(one.name),
                    description="\n\n".join(filter(None, [one.title, one.title_zh])),
                    group_name=GROUP,
                    kinds={"http"},
                    owners=one.owners,
                    tags={"subject": "sync"},
                    metadata={TOPICS_KEY: one.topics},
                )
                for one in self.channels
            ]
        )
