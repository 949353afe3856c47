"""Components that a `defs.yaml` may name (`dg list components`): a data side by configuration."""

from hub_assets.components.alert_route import AlertRoutes as AlertRoutes
from hub_assets.components.channel import Channels as Channels
from hub_assets.components.reconciliation import Reconciliation as Reconciliation
from hub_assets.components.stream_table import StreamTable as StreamTable
