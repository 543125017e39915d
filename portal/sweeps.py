"""The periodic tasks: each finds in the rows what no message told of, or what time brought."""

# Task and how many times settings.SWEEP_SECONDS lie between two of its runs.
SWEEPS = {
    "accounts.tasks.deliver_messages": 1,
    "accounts.tasks.sweep_lists": 1,
    "accounts.tasks.forget_old_traces": 360,
    "catalog.tasks.process_waiting_videos": 6,
    "catalog.tasks.forget_abandoned_uploads": 360,
    "catalog.tasks.read_new_captions": 6,
    "orders.tasks.sweep_gateway_messages": 1,
    "orders.tasks.poll_waiting_attempts": 3,
    "orders.tasks.expire_orders": 6,
    "orders.tasks.forget_idempotency_keys": 360,
    "orders.tasks.sweep_code_imports": 2,
    "orders.tasks.sweep_groups": 1,
    "orders.tasks.forget_old_groups": 30,
    "orders.tasks.ask_ended_attempts": 6,
    "orders.tasks.sweep_refunds": 1,
    "orders.tasks.reconcile_bills": 60,
    "orders.tasks.sweep_claims": 60,
    "learning.tasks.close_idle_sessions": 6,
    "learning.tasks.raise_flags": 360,
    "learning.tasks.forget_old_appeals": 360,
    "certificates.tasks.render_waiting_issues": 1,
    "invoices.tasks.issue_requested_invoices": 1,
    "portal.tasks.mark_worker_seen": 6,
}
